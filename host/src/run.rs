//! `tapedeck run`: builds everything, runs it until it is told to stop, and delivers what was accepted.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::{Context as _, bail};
use tokio::time::{Instant, timeout_at};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::{info, warn};

use crate::config::{Config, FeedConfig};
use crate::feed::{self, Feed, Positions, Topics};
use crate::http::{self, Surroundings};
use crate::metrics::Metrics;
use crate::plugin::{Plugin, PluginError, PluginFolder, Runtime, RuntimeSettings};
use crate::session::{self, Backoff, Dialer, SessionSettings, SessionStatus};
use crate::sink::Sink;

mod start;

/// Bytes at which a batch is decoded, whatever its number of frames.
const BATCH_BYTES: usize = 1 << 20;

/// Everything that can be built, and so can fail, before anything connects or listens.
pub struct Prepared {
    config: Config,
    metrics: Arc<Metrics>,
    sink: Sink,
    sessions: Vec<(Arc<Feed>, SessionSettings)>,
}

impl Prepared {
    /// Loads plugins and plans every session.
    ///
    /// # Errors
    /// Something in the configuration that only plugins, librdkafka or the TLS library could judge.
    pub fn new(config: Config) -> anyhow::Result<Self> {
        let metrics = Arc::new(Metrics::new());
        let sink = Sink::new(&config.kafka, metrics.sink())?;
        let plugins = load_plugins(&config)?;
        let sessions = build_sessions(&config, &plugins, &sink, &metrics)?;
        Ok(Self { config, metrics, sink, sessions })
    }

    /// Runs until `shutdown`; then stops reading, and waits until Kafka has what was accepted, for as long as the
    /// configuration allows.
    ///
    /// # Errors
    /// A port in use; records that Kafka did not take in time.
    pub async fn run(self, shutdown: CancellationToken) -> anyhow::Result<()> {
        let Self { config, metrics, sink, sessions } = self;
        let listener = http::bind(config.http.listen).await?;
        info!(listen = %config.http.listen, sessions = sessions.len(), "starting");

        let kafka = Arc::new(AtomicBool::new(false));
        let statuses = sessions.iter().map(|(_, settings)| (settings.name.clone(), settings.status.clone())).collect();
        let surroundings = Surroundings { metrics, kafka: Arc::clone(&kafka), sessions: Arc::new(statuses) };
        let http_shutdown = CancellationToken::new();
        let http_task = tokio::spawn(http::serve(listener, surroundings, http_shutdown.clone()));
        let mut sinking = tokio::spawn(sink.clone().run());

        let exchanges: BTreeSet<_> = sessions.iter().map(|(feed, _)| feed.exchange().to_owned()).collect();
        let tracker = TaskTracker::new();
        if let Some(positions) = start::wait_for_kafka(&config, &exchanges, &shutdown).await {
            kafka.store(true, Ordering::Relaxed);
            let feeds: Vec<_> = sessions.iter().map(|(feed, _)| Arc::clone(feed)).collect();
            feed::restore(&feeds, &positions);
            sink.checkpoints(Arc::new(Positions(feeds)));
            for (feed, settings) in sessions {
                let connection = feed.connection(settings.metrics.clone());
                tracker.spawn(session::run(connection, settings, shutdown.clone()));
            }
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
        http_shutdown.cancel();
        let _ = timeout_at(Instant::now() + Duration::from_secs(1), http_task).await;
        drained
    }
}

fn exchange<'a>(feed: &'a FeedConfig, plugin: &'a Plugin) -> &'a str {
    feed.exchange.as_deref().unwrap_or(&plugin.description().exchange)
}

/// Loads the folder; a file in it that is no use is only warned of, unless a feed needs it.
fn load_plugins(config: &Config) -> anyhow::Result<PluginFolder> {
    let settings = RuntimeSettings {
        memory_bytes: usize::try_from(config.plugins.memory_bytes).context("[plugins] memory_mb is too large")?,
        call_time: config.plugins.time,
        cache_folder: Some(config.plugins.cache.clone()),
    };
    let runtime = Runtime::new(&settings).context("[plugins] is not usable")?;
    let folder = PluginFolder::load(&runtime, &config.plugins.folder)?;
    for error in folder.errors() {
        warn!(reason = sentence(error), "a plugin file is not used");
    }
    Ok(folder)
}

/// The plugin of a feed.
fn find_plugin<'a>(config: &Config, feed: &FeedConfig, folder: &'a PluginFolder) -> anyhow::Result<&'a Arc<Plugin>> {
    folder.find(&feed.plugin).with_context(|| {
        let there: Vec<_> = folder.plugins().iter().map(|plugin| plugin.description().name.as_str()).collect();
        let unusable: String = folder.errors().iter().map(|error| format!("\n  {}", sentence(error))).collect();
        format!(
            "feed {}: no usable plugin {:?} in {}; put its .wasm file there, or name one that is there: {}{unusable}",
            feed.places.number,
            feed.plugin,
            config.plugins.folder.display(),
            if there.is_empty() { "none".to_owned() } else { there.join(", ") },
        )
    })
}

fn sentence(error: &PluginError) -> String {
    crate::session::chain(error)
}

fn build_sessions(
    config: &Config,
    plugins: &PluginFolder,
    sink: &Sink,
    metrics: &Metrics,
) -> anyhow::Result<Vec<(Arc<Feed>, SessionSettings)>> {
    let dialer = Dialer::new(config.limits.frame_bytes).context("TLS is not usable")?;
    let backoff = Backoff { base: config.reconnect.base, cap: config.reconnect.cap };
    let mut numbers = BTreeMap::<String, u32>::new();
    let mut sessions = Vec::new();
    for feed_config in &config.feeds {
        let plugin = find_plugin(config, feed_config, plugins)?;
        let exchange = exchange(feed_config, plugin);
        let topics =
            Topics { trades: config.kafka.topic(exchange), dead_letters: config.kafka.dead_letter_topic(exchange) };
        for request in feed::shards(feed_config, plugin) {
            let hosts = request.websocket_hosts(&plugin.description().hosts).map_err(anyhow::Error::msg)?;
            let dialer = dialer.reaching(hosts);
            let number = numbers.entry(exchange.to_owned()).or_default();
            let name = format!("{exchange}-{number}");
            let figures = metrics.session(exchange, *number);
            *number += 1;
            let feed = Feed::new(name.clone(), exchange, Arc::clone(plugin), request, sink.clone(), topics.clone())
                .with_context(|| format!("feed {} ({})", feed_config.places.number, feed_config.plugin))?;
            let settings = SessionSettings {
                name,
                dialer: dialer.clone(),
                backoff,
                batch_frames: config.limits.batch_frames,
                batch_bytes: BATCH_BYTES,
                send_interval: feed.send_interval(),
                metrics: figures,
                status: SessionStatus::default(),
            };
            sessions.push((Arc::new(feed), settings));
        }
    }
    Ok(sessions)
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
    info!("everything that was accepted is in Kafka");
    Ok(())
}
