//! What all tasks of a simulator share.

use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::fault::{Fault, RestFault};
use crate::frame::Opcode;
use crate::hub::Hub;
use crate::hub::link::Frame;
use crate::options::SimulatorOptions;
use crate::status::Status;
use crate::window::Window;

/// The state of a simulator.
pub(crate) struct Shared {
    pub(crate) options: SimulatorOptions,
    hub: Mutex<Hub>,
    /// Whether publishing was started and not stopped, whether it goes on now, and whether it came to its end.
    progress: Mutex<Progress>,
    /// The real time at which publishing started.
    started: OnceLock<Instant>,
    /// Something changed that the publisher may be waiting for.
    pub(crate) changed: Notify,
    /// Some connection wrote something.
    pub(crate) drained: Arc<Notify>,
    connects: Mutex<Window>,
    rest_weight: Mutex<(Instant, u64)>,
    rest_fault: Mutex<Option<(RestFault, Instant)>>,
    /// Ends everything.
    pub(crate) stopping: CancellationToken,
    pub(crate) tasks: TaskTracker,
}

#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Progress {
    pub(crate) wanted: bool,
    pub(crate) running: bool,
    pub(crate) finished: bool,
    pub(crate) elapsed: Duration,
}

/// A minute, in which Binance counts weight.
const MINUTE: Duration = Duration::from_secs(60);

impl Shared {
    pub(crate) fn new(options: SimulatorOptions, hub: Hub) -> Self {
        let connects = Window::new(options.connections_per_five_minutes, 5 * MINUTE);
        Self {
            progress: Mutex::new(Progress { wanted: options.autostart, ..Progress::default() }),
            options,
            hub: Mutex::new(hub),
            started: OnceLock::new(),
            changed: Notify::new(),
            drained: Arc::new(Notify::new()),
            connects: Mutex::new(connects),
            rest_weight: Mutex::new((Instant::now(), 0)),
            rest_fault: Mutex::new(None),
            stopping: CancellationToken::new(),
            tasks: TaskTracker::new(),
        }
    }

    pub(crate) fn hub(&self) -> MutexGuard<'_, Hub> {
        locked(&self.hub)
    }

    pub(crate) fn progress(&self) -> MutexGuard<'_, Progress> {
        locked(&self.progress)
    }

    /// Starts or stops publishing.
    pub(crate) fn want(&self, wanted: bool) {
        self.progress().wanted = wanted;
        self.changed.notify_one();
    }

    /// Whether nothing is being published, and nothing that was is still to be written.
    pub(crate) fn has_settled(&self) -> bool {
        let running = self.progress().running;
        let hub = self.hub();
        !running && hub.pending() == 0 && !hub.holds_frames()
    }

    /// The clock of a tape that starts now, in microseconds since 1970.
    pub(crate) fn start_clock(&self) -> i64 {
        self.started.get_or_init(Instant::now);
        self.options.clock_start_us.unwrap_or_else(real_time_us)
    }

    /// The exchange's time.
    pub(crate) fn now_us(&self) -> i64 {
        let since_start = || self.started.get().map_or(Duration::ZERO, Instant::elapsed).as_micros() as i64;
        self.options.clock_start_us.map_or_else(real_time_us, |start| start + since_start())
    }

    /// Counts a connection attempt; false if there were too many.
    pub(crate) fn admit_connection(&self) -> bool {
        locked(&self.connects).admit(Instant::now())
    }

    /// Counts the weight of a request, and returns what was used in this minute; or the seconds to wait.
    pub(crate) fn spend_rest_weight(&self, weight: u64, now: Instant) -> Result<u64, u64> {
        let mut budget = locked(&self.rest_weight);
        if now >= budget.0 + MINUTE {
            *budget = (now, 0);
        }
        let limit = self.options.rest_weight_per_minute;
        if limit > 0 && budget.1 + weight > limit {
            return Err((budget.0 + MINUTE - now).as_secs() + 1);
        }
        budget.1 += weight;
        Ok(budget.1)
    }

    /// The fault that is to befall this request.
    pub(crate) fn take_rest_fault(&self) -> Option<RestFault> {
        let mut slot = locked(&self.rest_fault);
        let (fault, since) = slot.as_mut()?;
        let over = fault.lasting.is_some_and(|lasting| since.elapsed() >= lasting) || fault.requests == Some(0);
        if over {
            *slot = None;
            return None;
        }
        fault.requests = fault.requests.map(|requests| requests - 1);
        Some(fault.clone())
    }

    /// Carries out a fault.
    ///
    /// # Errors
    /// Names a market that there is not.
    pub(crate) fn inject(self: &Arc<Self>, fault: Fault) -> Result<(), String> {
        tracing::info!(?fault, "fault");
        match fault {
            Fault::Cut => {
                let mut hub = self.hub();
                hub.counters.connections_cut += hub.links().count() as u64;
                hub.links().for_each(|link| link.cut.cancel());
            }
            Fault::Silence(lasting) => {
                let until = lasting.map(|lasting| Instant::now() + lasting);
                self.hub().links_mut().for_each(|link| link.silence(until));
            }
            Fault::Mute(name, lasting) => {
                let mut hub = self.hub();
                let market = hub.markets.iter().position(|market| market.canonical == name || market.symbol == name);
                let market = market.ok_or_else(|| format!("there is no market `{name}`"))?;
                hub.mute(market, lasting.map(|lasting| Instant::now() + lasting));
            }
            Fault::Shutdown => self.shut_connections_down(),
            Fault::Frame { payload, binary } => {
                let opcode = if binary { Opcode::Binary } else { Opcode::Text };
                self.hub().broadcast(&Frame::new(opcode, &payload));
            }
            // Late trades belong to the tape, which is settled at the start.
            Fault::Rates(rates) => self.hub().rates = rates,
            Fault::Rest(fault) => *locked(&self.rest_fault) = Some((fault, Instant::now())),
            Fault::Clear => {
                let mut hub = self.hub();
                hub.rates = crate::fault::FaultRates::default();
                hub.unmute_all();
                hub.links_mut().for_each(|link| link.end_silence(None));
                *locked(&self.rest_fault) = None;
            }
        }
        self.changed.notify_one();
        Ok(())
    }

    fn shut_connections_down(self: &Arc<Self>) {
        let cuts: Vec<CancellationToken> = self
            .hub()
            .links()
            .map(|link| {
                link.shutdown.notify_one();
                link.cut.clone()
            })
            .collect();
        let shared = Arc::clone(self);
        self.tasks.spawn(async move {
            tokio::select! {
                () = shared.stopping.cancelled() => {}
                () = tokio::time::sleep(shared.options.shutdown_lead) => {
                    shared.hub().counters.connections_cut += cuts.iter().filter(|cut| !cut.is_cancelled()).count() as u64;
                    cuts.iter().for_each(CancellationToken::cancel);
                }
            }
        });
    }

    /// What the simulator says of itself.
    pub(crate) fn status(&self) -> Status {
        let progress = *self.progress();
        let hub = self.hub();
        let pending_bytes = hub.pending();
        Status {
            exchange: self.options.exchange.name(),
            connections: hub.links().count(),
            subscribed_markets: hub.subscribed_markets(),
            running: progress.running,
            finished: progress.finished && pending_bytes == 0 && !hub.holds_frames(),
            pending_bytes,
            elapsed_ms: progress.elapsed.as_millis() as u64,
            counters: hub.counters,
        }
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn real_time_us() -> i64 {
    jiff::Timestamp::now().as_microsecond()
}
