//! One session: carries out what its state machine decides, a task for each connection.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use fastrand::Rng;
use tokio::sync::mpsc;
use tokio::task::{Id, JoinError, JoinSet};
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;
use tracing::{Instrument as _, info, info_span, warn};

use super::connection::{Connection, Leave};
use super::machine::{Action, Closing, Loss, MOST_CONNECTIONS, Machine, Rules, Served};
use super::{Ended, FrameHandler, SessionSettings};

/// What a connection tells its session.
#[derive(Debug)]
pub(super) struct Report {
    /// Its number.
    pub(super) connection: u64,
    /// What happened.
    pub(super) what: Happened,
}

/// What happened on a connection, besides its end.
#[derive(Debug)]
pub(super) enum Happened {
    /// It is up.
    Connected,
    /// Some more markets are subscribed.
    Subscribing(Served),
    /// The exchange has answered, or will not any more.
    Settled(Served),
    /// The exchange asks for another connection in its place, for this reason.
    Asked(String),
}

/// Reports that wait for their session; a connection waits when it is full.
const REPORTS: usize = 16;

/// Keeps a session up until `shutdown`. `make` gives each connection its handler; two may be in use at once.
pub async fn run<H: FrameHandler>(make: impl Fn() -> H, settings: SessionSettings, shutdown: CancellationToken) {
    let span = info_span!("session", id = settings.name);
    let rules = Rules { backoff: settings.backoff, lifetime: settings.lifetime, overlap: settings.overlap };
    let (reports, inbox) = mpsc::channel(REPORTS);
    let slot = Slot {
        machine: Machine::new(rules, Rng::new()),
        settings: Arc::new(settings),
        make,
        shutdown,
        reports,
        tasks: JoinSet::new(),
        numbers: HashMap::with_capacity(MOST_CONNECTIONS),
        leave: HashMap::with_capacity(MOST_CONNECTIONS),
        confirms: Arc::default(),
    };
    slot.run(inbox).instrument(span).await;
}

struct Slot<M> {
    machine: Machine,
    settings: Arc<SessionSettings>,
    make: M,
    shutdown: CancellationToken,
    reports: mpsc::Sender<Report>,
    tasks: JoinSet<Ended>,
    /// Connections by their tasks.
    numbers: HashMap<Id, u64>,
    /// Tells connections to make way.
    leave: HashMap<u64, CancellationToken>,
    /// Whether the exchange was ever seen to confirm a subscription of this session.
    confirms: Arc<AtomicBool>,
}

impl<H: FrameHandler, M: Fn() -> H> Slot<M> {
    async fn run(mut self, mut inbox: mpsc::Receiver<Report>) {
        loop {
            let now = Instant::now();
            while let Some(action) = self.machine.next(now) {
                self.act(action);
            }
            self.show();
            if self.machine.is_over() {
                return info!("stopped");
            }
            let wake = self.machine.wake();
            tokio::select! {
                biased;
                () = self.shutdown.cancelled(), if !self.machine.is_stopping() => self.machine.stop(),
                // Before the end of a task, so that what a connection said last still counts.
                Some(report) = inbox.recv() => self.take(report),
                Some(ended) = self.tasks.join_next_with_id() => self.ended(ended),
                () = sleep_until(wake.unwrap_or(now)), if wake.is_some() => {}
            }
        }
    }

    fn act(&mut self, action: Action) {
        match action {
            Action::Open(number) => self.open(number),
            Action::Close(number, why) => {
                match why {
                    Closing::Replaced => {
                        self.settings.metrics.rotations.inc();
                        info!(connection = number, "replaced by a newer connection");
                    }
                    Closing::NoBetter => {
                        let missing = self.machine.served().missing;
                        info!(
                            connection = number,
                            missing, "a newer connection serves no more markets: the older stays"
                        );
                    }
                    // The token of the shutdown has told it.
                    Closing::Shutdown => return,
                }
                if let Some(leave) = self.leave.get(&number) {
                    leave.cancel();
                }
            }
        }
    }

    fn open(&mut self, number: u64) {
        let leave = CancellationToken::new();
        self.leave.insert(number, leave.clone());
        let connection = Connection {
            number,
            settings: Arc::clone(&self.settings),
            reports: self.reports.clone(),
            confirms: Arc::clone(&self.confirms),
            leave: Leave { shutdown: self.shutdown.clone(), replaced: leave },
        };
        let task = self.tasks.spawn(connection.run((self.make)()).in_current_span());
        self.numbers.insert(task.id(), number);
    }

    fn take(&mut self, report: Report) {
        let (number, now) = (report.connection, Instant::now());
        match report.what {
            Happened::Connected => self.machine.connected(number, now),
            Happened::Subscribing(served) => self.machine.subscribing(number, served),
            Happened::Settled(served) => self.machine.settled(number, served, now),
            Happened::Asked(reason) => {
                info!(connection = number, reason, "asked for another connection");
                self.machine.asked(number, now);
            }
        }
    }

    fn ended(&mut self, ended: Result<(Id, Ended), JoinError>) {
        let (task, reason) = match ended {
            Ok((task, ended)) => (task, ended.to_string()),
            Err(error) => (error.id(), format!("its task failed: {error}")),
        };
        let Some(number) = self.numbers.remove(&task) else { return };
        self.leave.remove(&number);
        let now = Instant::now();
        let loss = self.machine.ended(number, now);
        let pause_ms = self.machine.pause_left(now).as_millis() as u64;
        match loss {
            Loss::Expected => return,
            Loss::Overtaken => {
                self.settings.metrics.rotations.inc();
                return info!(connection = number, reason, "ended, with its successor in its place");
            }
            Loss::Session => warn!(connection = number, reason, pause_ms, "reconnecting"),
            Loss::Inherited => warn!(connection = number, reason, "lost while its successor comes up"),
            Loss::Successor => warn!(connection = number, reason, pause_ms, "no successor yet: the older stays"),
        }
        self.settings.metrics.reconnects.inc();
    }

    /// Lets others see the state.
    fn show(&self) {
        self.settings.status.set(self.machine.state());
        self.settings.metrics.connected.set(i64::from(self.machine.is_connected()));
        self.settings.metrics.connections.set(self.machine.connections() as i64);
        let served = self.machine.served();
        self.settings.metrics.subscribed.set(i64::from(served.markets));
        self.settings.metrics.unserved.set(i64::from(served.missing));
    }
}
