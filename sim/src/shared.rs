//! What all tasks of a simulator share.

use std::sync::atomic::{AtomicI64, Ordering};
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
use crate::options::{SimulatorOptions, Source};
use crate::rest::trouble::Troubles;
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
    troubles: Mutex<Troubles>,
    /// By how much the exchange's clock was stepped since the start, in microseconds.
    clock_step_us: AtomicI64,
    /// Until when nobody is there.
    away_until: Mutex<Option<Instant>>,
    /// Ends the HTTP connections that are open now.
    leaving: Mutex<CancellationToken>,
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
            troubles: Mutex::new(Troubles::new(options.seed, options.rest_faults.clone())),
            options,
            hub: Mutex::new(hub),
            started: OnceLock::new(),
            changed: Notify::new(),
            drained: Arc::new(Notify::new()),
            connects: Mutex::new(connects),
            rest_weight: Mutex::new((Instant::now(), 0)),
            clock_step_us: AtomicI64::new(0),
            away_until: Mutex::new(None),
            leaving: Mutex::default(),
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
        let unstepped = self.options.clock_start_us.map_or_else(real_time_us, |start| start + since_start());
        unstepped + self.clock_step_us()
    }

    /// By how much the clock was stepped, in microseconds.
    pub(crate) fn clock_step_us(&self) -> i64 {
        self.clock_step_us.load(Ordering::Relaxed)
    }

    /// Whether nobody is there.
    pub(crate) fn is_away(&self) -> bool {
        locked(&self.away_until).is_some_and(|until| until > Instant::now())
    }

    /// Ends a connection of this moment when nobody is there any more.
    pub(crate) fn leaving(&self) -> CancellationToken {
        locked(&self.leaving).clone()
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

    /// Counts a REST request, and says what befalls it.
    pub(crate) fn next_rest_fault(&self) -> Option<RestFault> {
        let mut hub = self.hub();
        hub.counters.rest_requests += 1;
        locked(&self.troubles).next(Instant::now(), &mut hub.counters)
    }

    /// Carries out a fault.
    ///
    /// # Errors
    /// Names a market that there is not, or a tape whose times are fixed.
    pub(crate) fn inject(self: &Arc<Self>, fault: Fault) -> Result<(), String> {
        tracing::info!(?fault, "fault");
        match fault {
            Fault::Cut => self.cut_connections(),
            Fault::HalfOpen => {
                let mut hub = self.hub();
                let forgotten = hub.forget_links();
                hub.counters.connections_half_open += forgotten;
            }
            Fault::Away(lasting) => {
                *locked(&self.away_until) = Some(Instant::now() + lasting);
                self.cut_connections();
                let leaving = std::mem::take(&mut *locked(&self.leaving));
                self.tasks.spawn(async move {
                    // Time for the answer to whoever ordered this by HTTP.
                    tokio::time::sleep(Duration::from_millis(20)).await;
                    leaving.cancel();
                });
            }
            Fault::ClockStep(milliseconds) => {
                if !matches!(self.options.source, Source::Generated) {
                    return Err(
                        "the times of recorded trades are what they are: step the clock of generated ones".into()
                    );
                }
                self.clock_step_us.fetch_add(milliseconds.saturating_mul(1_000), Ordering::Relaxed);
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
            Fault::Rest(fault) => locked(&self.troubles).order(fault, Instant::now()),
            Fault::RestRates(rates) => locked(&self.troubles).set_rates(rates),
            Fault::Clear => {
                let mut hub = self.hub();
                hub.rates = crate::fault::FaultRates::default();
                hub.unmute_all();
                hub.links_mut().for_each(|link| link.end_silence(None));
                hub.links().filter(|link| link.is_half_open()).for_each(|link| link.cut.cancel());
                locked(&self.troubles).clear();
            }
        }
        self.changed.notify_one();
        Ok(())
    }

    fn cut_connections(&self) {
        let mut hub = self.hub();
        hub.counters.connections_cut += hub.links().count() as u64;
        hub.links().for_each(|link| link.cut.cancel());
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
            connections: hub.links().filter(|link| !link.is_half_open()).count(),
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
