//! `tapedeck run`: builds everything, runs it until it is told to stop, and delivers what was accepted.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::bail;
use tokio::time::{Instant, timeout, timeout_at};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::info;

use crate::capture::{Captured, Recorder};
use crate::config::Config;
use crate::feed::{self, Positions, silence};
use crate::http::{self, Surroundings};
use crate::metrics::Metrics;
use crate::plugin::PluginFolder;
use crate::session;
use crate::sink::Sink;

mod build;
mod rest;
mod start;

use build::Unit;

/// How long the end of the capture may take to be written.
const CAPTURE_PATIENCE: Duration = Duration::from_secs(5);

/// Everything that can be built, and so can fail, before anything connects or listens.
pub struct Prepared {
    config: Config,
    metrics: Arc<Metrics>,
    sink: Sink,
    units: Vec<Unit>,
}

impl Prepared {
    /// Plans every session.
    ///
    /// # Errors
    /// Something in the configuration that only plugins, librdkafka or the TLS library could judge.
    pub fn new(config: Config, plugins: &PluginFolder) -> anyhow::Result<Self> {
        let metrics = Arc::new(Metrics::new());
        let sink = Sink::new(&config.kafka, config.spool.as_ref(), &metrics.sink())?;
        let units = build::units(&config, plugins, &sink, &metrics)?;
        Ok(Self { config, metrics, sink, units })
    }

    /// Runs until `shutdown`; then stops reading, and waits until Kafka has what was accepted, for as long as the
    /// configuration allows.
    ///
    /// # Errors
    /// A port in use; records that Kafka did not take in time.
    pub async fn run(self, shutdown: CancellationToken) -> anyhow::Result<()> {
        let Self { config, metrics, sink, units } = self;
        let listener = http::bind(config.http.listen).await?;
        let settings = || units.iter().flat_map(|unit| &unit.sessions);
        info!(listen = %config.http.listen, sessions = settings().count(), "starting");

        let kafka = Arc::new(AtomicBool::new(false));
        let statuses = settings().map(|settings| (settings.name.clone(), settings.status.clone())).collect();
        let watch = silence::watch(units.iter().map(Unit::watched).collect(), metrics.silent_markets());
        let recorder =
            config.capture.as_ref().map(|capture| Recorder::start(capture, metrics.capture())).transpose()?;
        let surroundings = Surroundings { metrics, kafka: Arc::clone(&kafka), sessions: Arc::new(statuses) };
        let http_shutdown = CancellationToken::new();
        let http_task = tokio::spawn(http::serve(listener, surroundings, http_shutdown.clone()));
        let mut sinking = tokio::spawn(sink.clone().run());

        let exchanges: BTreeSet<_> = units.iter().map(|unit| unit.feed.exchange().to_owned()).collect();
        let tracker = TaskTracker::new();
        if let Some(positions) = start::wait_for_kafka(&config, &sink, &exchanges, &shutdown).await {
            kafka.store(true, Ordering::Relaxed);
            let feeds: Vec<_> = units.iter().map(|unit| Arc::clone(&unit.feed)).collect();
            feed::restore(&feeds, &positions);
            sink.checkpoints(Arc::new(Positions(feeds)));
            for Unit { feed, sessions, healer } in units {
                tracker.spawn(healer.run(shutdown.clone()));
                for settings in sessions {
                    let (feed, metrics) = (Arc::clone(&feed), settings.metrics.clone());
                    let account = sink.account(&metrics);
                    let captured = recorder.as_ref().map(|recorder| (recorder.streams(), settings.name.clone()));
                    let make = move || {
                        let captured = captured.as_ref();
                        let stream = captured.map(|(streams, name)| streams.open(feed.segment_header(name)));
                        Captured::new(feed.connection(metrics.clone(), account), stream)
                    };
                    tracker.spawn(session::run(make, settings, shutdown.clone()));
                }
            }
            tracker.spawn(shutdown.clone().run_until_cancelled_owned(watch));
            tokio::select! {
                () = shutdown.cancelled() => {}
                ended = &mut sinking => {
                    shutdown.cancel();
                    return ended.map_err(anyhow::Error::from).flatten().map(|never| match never {});
                }
            }
        }
        let drained = drain(&config, &sink, &tracker).await;
        sinking.abort();
        if let Some(recorder) = recorder {
            // A disk that hangs does not hold up the end.
            let _ = timeout(CAPTURE_PATIENCE, tokio::task::spawn_blocking(|| recorder.finish())).await;
        }
        http_shutdown.cancel();
        let _ = timeout_at(Instant::now() + Duration::from_secs(1), http_task).await;
        drained
    }
}

/// Lets sessions finish their batches and Kafka take what is on its way.
async fn drain(config: &Config, sink: &Sink, tracker: &TaskTracker) -> anyhow::Result<()> {
    let deadline = Instant::now() + config.limits.drain;
    info!(records = sink.in_flight(), "stopping: delivering what was accepted");
    tracker.close();
    let finished = timeout_at(deadline, tracker.wait()).await.is_ok();
    let left = sink.drain(deadline).await;
    if left > 0 || !finished {
        bail!(
            "{left} records were accepted but not acknowledged by Kafka at {} within {} s ([limits] drain_seconds); they \
             are lost",
            config.kafka.brokers,
            config.limits.drain.as_secs()
        );
    }
    info!("everything that was accepted is in Kafka, or in the spool");
    Ok(())
}
