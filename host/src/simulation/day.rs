//! A day from its beginning to its end: trouble, then calm, then the reckoning.

use std::sync::Arc;
use std::time::Duration;

use tempfile::TempDir;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};

use super::exchange::around;
use super::host::{Host, Tools};
use super::plan::Plan;
use super::time::Clock;
use super::world::{Tally, World};

/// For how long the exchange trades on once trouble has ended.
const CALM: Duration = Duration::from_secs(60);

/// How long it may take then until everything has come or is listed: the longest pauses of sessions and healer, and the
/// times that an exchange's history is given.
const PATIENCE: Duration = Duration::from_secs(3_600);

/// What became of a day.
pub(super) struct Outcome {
    pub(super) tally: Tally,
    /// What happened, in order.
    pub(super) journal: Vec<String>,
    /// The first promise that was broken.
    pub(super) broken: Option<String>,
}

/// Lives through a day. Everything in it follows from the plan.
pub(super) fn live(plan: Plan, tools: &Tools) -> Outcome {
    // The host draws from the thread's own generator.
    fastrand::seed(plan.seed);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
    runtime.expect("a runtime without sockets").block_on(async {
        let _clock = Clock::start();
        let world = World::new(Arc::new(plan));
        let day = Day { folder: folder(), tools, world: Arc::clone(&world) };
        day.live().await;
        let mut state = world.state();
        let journal = std::mem::take(&mut state.journal);
        Outcome { tally: state.tally, journal: journal.lines, broken: journal.broken }
    })
}

/// Where syncing costs nothing, if there is such a place.
fn folder() -> TempDir {
    tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).expect("a folder for the spool")
}

struct Day<'a> {
    folder: TempDir,
    tools: &'a Tools,
    world: Arc<World>,
}

impl Day<'_> {
    async fn live(&self) {
        let mut trading = JoinSet::new();
        for market in 0..self.world.plan.exchange.paces.len() {
            trading.spawn(Arc::clone(&self.world).trade(market));
        }
        let mut weather = self.weather();
        let Some(host) = self.trouble().await else { return };
        weather.abort_all();
        while weather.join_next().await.is_some() {}
        self.world.calm();
        sleep(CALM).await;
        trading.abort_all();
        while trading.join_next().await.is_some() {}
        // Nothing that came before may be the last that is told of a market.
        sleep(Duration::from_secs(1)).await;
        for market in 0..self.world.plan.exchange.paces.len() {
            self.world.publish(market);
        }
        self.settle(&host).await;
        if !host.stop().await {
            self.world.broken("in peace, the host stops without having delivered everything");
        }
        self.reckon();
    }

    fn weather(&self) -> JoinSet<()> {
        let (plan, mut tasks) = (&self.world.plan, JoinSet::new());
        if let Some(mean) = plan.exchange_away {
            tasks.spawn(Arc::clone(&self.world).weather(mean));
        }
        if let Some(mean) = plan.announcements {
            tasks.spawn(Arc::clone(&self.world).maintenance(mean));
        }
        if let Some(mean) = plan.kafka_away {
            tasks.spawn(Arc::clone(&self.world).kafka_weather(mean));
        }
        tasks
    }

    /// Lets the host live, again and again if it is killed, for as long as there is trouble.
    async fn trouble(&self) -> Option<Host> {
        let end = Instant::now() + self.world.plan.trouble;
        let mut rng = self.world.fork();
        loop {
            let host = match Host::start(&self.world, self.tools, Some(self.folder.path())) {
                Ok(host) => host,
                Err(error) => {
                    self.world.broken(format_args!("the host does not start: {error:#}"));
                    return None;
                }
            };
            let life = self.world.plan.kills.map(|mean| around(&mut rng, mean));
            let left = end.saturating_duration_since(Instant::now());
            sleep(life.unwrap_or(left).min(left)).await;
            if Instant::now() >= end || self.is_broken() {
                return Some(host);
            }
            if rng.u32(0..4) == 0 {
                host.stop().await;
                self.world.state().tally.stops += 1;
            } else {
                host.kill().await;
                self.world.state().tally.kills += 1;
            }
            sleep(around(&mut rng, Duration::from_secs(10))).await;
        }
    }

    fn is_broken(&self) -> bool {
        self.world.state().journal.broken.is_some()
    }

    /// Waits until the newest positions in Kafka count everything, without a hole.
    async fn settle(&self, host: &Host) {
        let began = Instant::now();
        while began.elapsed() < PATIENCE && !self.is_broken() {
            sleep(Duration::from_secs(1)).await;
            if host.is_settled() && self.world.state().markets.iter().all(|market| market.is_settled()) {
                return;
            }
        }
        if !self.is_broken() {
            let state = self.world.state();
            let open: Vec<_> = state.markets.iter().filter(|market| !market.is_settled()).collect();
            let open: Vec<_> = open.iter().map(|market| (market.number, &market.position)).collect();
            let open = format!("{}; positions {open:?}", host.state());
            drop(state);
            self.world.broken(format_args!("in peace, it does not come to an end: {open}"));
        }
    }

    /// Every trade has come, or is listed.
    fn reckon(&self) {
        let lost = {
            let state = self.world.state();
            let mut markets = state.markets.iter();
            markets.find_map(|market| market.lost().map(|trade| format!("market {} lost {trade:?}", market.number)))
        };
        if let Some(lost) = lost {
            self.world.broken(lost);
        }
    }
}
