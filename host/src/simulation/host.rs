//! One life of the host: the real sessions, feed, healer and sink, wired as `run` wires them.

use std::path::Path;
use std::sync::{Arc, Weak};
use std::time::Duration;

use tokio::task::{JoinError, JoinSet};
use tokio::time::{Instant, sleep, timeout_at};
use tokio_util::sync::CancellationToken;

use super::plugin::{CONNECTS, MESSAGES, REQUESTS, REST, SimulatedPlugin, URL};
use super::world::World;
use crate::config::{Compression, Delivery, KafkaConfig, SpoolConfig};
use crate::feed::{self, Feed, Positions, Topics};
use crate::heal::Healer;
use crate::metrics::{Metrics, SinkMetrics};
use crate::net::{AllowedHosts, HostRules};
use crate::plugin::{Market, OpenRequest};
use crate::rest::{Rest, RestBudget, RestClient, RestLimits};
use crate::session::{self, Allowance, Backoff, Budgets, Dialer, SessionSettings, SessionStatus};
use crate::sink::{CheckpointRecord, CheckpointSource, Sink};

/// What takes long to make, and is the same for every life.
pub(super) struct Tools {
    dialer: Dialer,
    client: RestClient,
}

impl Tools {
    pub(super) fn new() -> Self {
        let dialer = Dialer::new(1 << 20).expect("the TLS library works");
        Self { dialer, client: RestClient::new(RestLimits::default()).expect("the TLS library works") }
    }
}

/// A host that lives.
pub(super) struct Host {
    world: Arc<World>,
    feed: Arc<Feed>,
    sink: Sink,
    figures: SinkMetrics,
    statuses: Vec<SessionStatus>,
    shutdown: CancellationToken,
    sinking: JoinSet<anyhow::Result<std::convert::Infallible>>,
    /// Ends when everything that reads and heals has ended.
    running: JoinSet<()>,
}

impl Host {
    pub(super) fn start(world: &Arc<World>, tools: &Tools, folder: Option<&Path>) -> anyhow::Result<Self> {
        world.begin_life();
        let plan = &world.plan;
        let kafka = kafka(plan.host.queue_messages);
        let spool = folder.zip(plan.host.spool_bytes);
        let spool = spool.map(|(folder, max_bytes)| SpoolConfig { folder: folder.to_owned(), max_bytes });
        let figures = SinkMetrics::default();
        let sink = Sink::to(world.broker.clone(), &kafka, spool.as_ref(), &figures)?;
        let market = |name| Market { name, symbol: None };
        let request =
            OpenRequest { markets: plan.markets().into_iter().map(market).collect(), ..OpenRequest::default() };
        let topics = Topics {
            trades: kafka.topic("simulated"),
            dead_letters: kafka.dead_letter_topic("simulated"),
            gaps: kafka.gap_topic("simulated"),
            headers: false,
        };
        let plugin = Arc::new(SimulatedPlugin::new(plan));
        let feed = Feed::new("simulated-0".to_owned(), "simulated", plugin, request, sink.clone(), topics)?;
        let (feed, metrics) = (Arc::new(feed), Metrics::new());
        let session = metrics.session("simulated", 0);
        let rest = Rest {
            client: tools.client.over(world.rest()),
            budget: RestBudget::new("simulated", Some(REQUESTS)),
            allowed: allowed(REST)?,
        };
        let healer = Healer {
            feed: Arc::clone(&feed),
            rest: Ok(rest),
            patience: plan.host.patience,
            give_up: plan.host.give_up,
            account: sink.account(&session),
            metrics: metrics.heal(&session),
        };
        let budgets = Budgets::default();
        let mut sessions = Vec::new();
        for number in 0..plan.host.sessions {
            let lifetime = plan.exchange.lifetime;
            let overlap = Duration::from_secs(2);
            sessions.push(SessionSettings {
                name: format!("simulated-{number}"),
                dialer: tools.dialer.reaching(allowed(URL)?).over(world.network(number)),
                backoff: Backoff { base: Duration::from_millis(250), cap: plan.host.longest_pause },
                batch_frames: 64,
                batch_bytes: 1 << 20,
                messages: Allowance { count: MESSAGES.count, window: MESSAGES.window },
                connects: Allowance { count: CONNECTS.count, window: CONNECTS.window },
                budgets: budgets.clone(),
                lifetime,
                answer: Duration::from_secs(10),
                overlap: lifetime.map_or(overlap, |lifetime| overlap.min(lifetime / 10)),
                metrics: metrics.session("simulated", number),
                status: SessionStatus::default(),
            });
        }
        let statuses = sessions.iter().map(|settings| settings.status.clone()).collect();
        let shutdown = CancellationToken::new();
        let (mut sinking, mut running) = (JoinSet::new(), JoinSet::new());
        sinking.spawn(sink.clone().run());
        let run = Run {
            world: Arc::clone(world),
            feed: Arc::clone(&feed),
            sink: sink.clone(),
            healer,
            sessions,
            shutdown: shutdown.clone(),
        };
        running.spawn(run.until_shutdown());
        Ok(Self { world: Arc::clone(world), feed, sink, figures, statuses, shutdown, sinking, running })
    }

    /// Whether nothing is left to do, as far as the host knows.
    pub(super) fn is_settled(&self) -> bool {
        let live = self.statuses.iter().all(|status| status.get().is_live());
        live && self.feed.ledger().open_gaps() == 0 && self.sink.in_flight() == 0
    }

    /// What it is at, in words.
    pub(super) fn state(&self) -> String {
        let states: Vec<_> = self.statuses.iter().map(|status| status.get().as_str()).collect();
        let (gaps, in_flight) = (self.feed.ledger().open_gaps(), self.sink.in_flight());
        format!("sessions are {states:?}, {gaps} gaps are open, {in_flight} records are on their way")
    }

    /// Tells it to stop, as SIGTERM does. Whether everything that it accepted is kept.
    pub(super) async fn stop(mut self) -> bool {
        let deadline = Instant::now() + self.world.plan.host.drain;
        self.shutdown.cancel();
        let finished = timeout_at(deadline, self.running.join_next()).await.is_ok();
        let left = self.sink.drain(deadline).await;
        self.world.note(format_args!("the host stops, {left} records are left"));
        self.end().await;
        finished && left == 0
    }

    /// Kills it, as SIGKILL does.
    pub(super) async fn kill(self) {
        self.world.note("the host is killed");
        self.end().await;
    }

    /// Drops all that it has in memory.
    async fn end(mut self) {
        self.sinking.abort_all();
        self.running.abort_all();
        while let Some(ended) = self.running.join_next().await {
            self.judge(&ended);
        }
        while let Some(ended) = self.sinking.join_next().await {
            self.judge(&ended.map(drop));
        }
        let Self { world, feed, sink, figures, .. } = self;
        world.state().tally.spooled += figures.spooled.get();
        let left = Arc::downgrade(&feed);
        drop((feed, sink));
        for _ in 0..1_000 {
            if left.strong_count() == 0 {
                return;
            }
            tokio::task::yield_now().await;
        }
        world.broken("tasks of the host outlive it");
    }

    fn judge(&self, ended: &Result<(), JoinError>) {
        if let Err(error) = ended
            && error.is_panic()
        {
            self.world.broken(format_args!("a task of the host panicked: {error}"));
        }
    }
}

/// What runs once Kafka is there.
struct Run {
    world: Arc<World>,
    feed: Arc<Feed>,
    sink: Sink,
    healer: Healer,
    sessions: Vec<SessionSettings>,
    shutdown: CancellationToken,
}

impl Run {
    async fn until_shutdown(self) {
        let Self { world, feed, sink, healer, sessions, shutdown } = self;
        let opened = shutdown.run_until_cancelled(async {
            while world.broker.is_away() {
                sleep(Duration::from_secs(1)).await;
            }
            sink.open().await
        });
        match opened.await {
            None => return,
            Some(Err(error)) => return world.broken(format_args!("the sink does not open: {error:#}")),
            Some(Ok(())) => {}
        }
        feed::restore(&[Arc::clone(&feed)], &world.positions());
        sink.checkpoints(Arc::new(Mortal(Arc::downgrade(&feed))));
        let mut tasks = JoinSet::new();
        tasks.spawn(healer.run(shutdown.clone()));
        for settings in sessions {
            let (feed, metrics) = (Arc::clone(&feed), settings.metrics.clone());
            let account = sink.account(&metrics);
            tasks.spawn(session::run(move || feed.connection(metrics.clone(), account), settings, shutdown.clone()));
        }
        while let Some(ended) = tasks.join_next().await {
            if let Err(error) = ended {
                world.broken(format_args!("a task of the host failed: {error}"));
            } else if !shutdown.is_cancelled() {
                world.broken("a task of the host ended by itself");
            }
        }
    }
}

/// The positions of a feed that may die, which a feed in a process of its own need not.
struct Mortal(Weak<Feed>);

impl CheckpointSource for Mortal {
    fn changed(&self) -> Vec<CheckpointRecord> {
        self.0.upgrade().map(|feed| Positions(vec![feed]).changed()).unwrap_or_default()
    }
}

fn kafka(queue_messages: u32) -> KafkaConfig {
    KafkaConfig {
        brokers: String::new(),
        topic_prefix: "trades".to_owned(),
        partitions: 1,
        replication: 1,
        compression: Compression::None,
        headers: false,
        linger: Duration::ZERO,
        queue_messages,
        queue_bytes: 64 << 20,
        delivery: Delivery::AtLeastOnce,
        transactional_id: String::new(),
        commit: Duration::from_millis(100),
        properties: Default::default(),
    }
}

fn allowed(endpoint: &str) -> anyhow::Result<AllowedHosts> {
    let rules = HostRules { endpoint: Some(endpoint), allow_plain: true, ..HostRules::default() };
    AllowedHosts::new(&rules).map_err(anyhow::Error::msg)
}
