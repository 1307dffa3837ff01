//! The task that publishes the tape: once a tick, everything that is due, and one flush.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use crate::options::{Rate, Source, Speed};
use crate::shared::Shared;
use crate::tape::Tape;
use crate::trade::Trade;

/// Trades that are published at most before others get the lock and the processor.
const TRADES_AT_ONCE: usize = 2_048;
/// Bytes that may be pending for the slowest client before a tape that waits for its clients waits.
const PENDING_AT_MOST: usize = 1 << 20;
/// How long to sleep at most where nothing is due: silences end and held frames are released by then.
const LONGEST_SLEEP: Duration = Duration::from_millis(50);

/// The publisher.
pub(crate) struct Publisher {
    shared: Arc<Shared>,
    tape: Tape,
    fills: Vec<Trade>,
    /// Time of the simulated clock, which stands while nothing is published.
    elapsed: Duration,
    published: u64,
    /// Whether the tape has no pace of its own.
    unpaced: bool,
}

impl Publisher {
    pub(crate) fn new(shared: Arc<Shared>, tape: Tape) -> Self {
        let unpaced = match shared.options.source {
            Source::Generated => shared.options.rate == Rate::Max,
            Source::Recordings(_) | Source::TradesCsv(_) => shared.options.speed == Speed::Max,
        };
        Self { shared, tape, fills: Vec::new(), elapsed: Duration::ZERO, published: 0, unpaced }
    }

    /// Publishes until the simulator stops.
    pub(crate) async fn run(mut self) {
        let stopping = self.shared.stopping.clone();
        tokio::select! {
            () = stopping.cancelled() => {}
            () = self.publish() => {}
        }
    }

    async fn publish(&mut self) {
        let mut begun = false;
        loop {
            let finished = begun && self.at_end();
            self.shared.progress().finished = finished;
            if finished || !self.may_run(begun) {
                self.shared.progress().running = false;
                self.rest().await;
                continue;
            }
            if !begun {
                begun = true;
                self.tape.start_clock(self.shared.start_clock());
            }
            self.shared.progress().running = true;
            self.run_on().await;
        }
    }

    /// Publishes until the end, or until it may not run.
    async fn run_on(&mut self) {
        let (resumed, before) = (Instant::now(), self.elapsed);
        while !self.at_end() && self.may_run(true) {
            let tick = Instant::now();
            self.elapsed = before + (tick - resumed);
            self.shared.progress().elapsed = self.elapsed;
            let more = self.publish_due(tick);
            self.wait_for_clients().await;
            if more {
                tokio::task::yield_now().await;
            } else {
                tokio::time::sleep_until(self.next_tick(tick)).await;
            }
        }
    }

    fn next_tick(&self, tick: Instant) -> Instant {
        let due = Duration::from_nanos(self.tape.due_ns().unwrap_or(u64::MAX));
        let until_due = due.saturating_sub(self.elapsed).min(LONGEST_SLEEP);
        tick + until_due.max(self.shared.options.tick)
    }

    /// Publishes what is due; true if there is more.
    fn publish_due(&mut self, now: Instant) -> bool {
        let options = &self.shared.options;
        let exchange = options.exchange;
        let elapsed_ns = if self.unpaced { u64::MAX } else { self.elapsed.as_nanos() as u64 };
        let elapsed_ns = elapsed_ns.min(self.last_due_ns());
        let limit = options.trades.unwrap_or(u64::MAX);
        let mut hub = self.shared.hub();
        hub.end_faults(now);
        self.tape.step_clock(self.shared.clock_step_us());
        let mut at_once = 0;
        while at_once < TRADES_AT_ONCE
            && self.published < limit
            && self.tape.due_ns().is_some_and(|due| due <= elapsed_ns)
        {
            self.fills.clear();
            let market = match &mut self.tape {
                Tape::Generated(generator) => generator.next_order(&mut self.fills),
                Tape::Trades(trades) => trades.next_trade(&mut self.fills).then_some(0),
                Tape::Recorded(recording) => {
                    if recording.advance()
                        && let Some(line) = recording.current_line()
                    {
                        hub.publish_line(recording, line);
                        self.published += u64::from(line.trade.is_some());
                    }
                    at_once += 1;
                    continue;
                }
            };
            let Some(market) = market else { break };
            self.fills.truncate(usize::try_from(limit - self.published).unwrap_or(usize::MAX));
            hub.publish_order(exchange, market, &self.fills);
            self.published += self.fills.len() as u64;
            at_once += self.fills.len();
        }
        hub.flush((!options.waits_for_clients()).then_some(options.client_buffer));
        at_once >= TRADES_AT_ONCE || self.unpaced
    }

    /// The last time of the simulated clock at which something may be due.
    fn last_due_ns(&self) -> u64 {
        match self.shared.options.duration {
            Some(duration) if !self.unpaced => duration.as_nanos() as u64,
            _ => u64::MAX,
        }
    }

    fn at_end(&self) -> bool {
        let options = &self.shared.options;
        let out_of_trades = options.trades.is_some_and(|trades| self.published >= trades);
        let out_of_time = self.unpaced && options.duration.is_some_and(|duration| self.elapsed >= duration);
        out_of_trades || out_of_time || self.tape.due_ns().is_none_or(|due| due > self.last_due_ns())
    }

    /// Whether publishing is wanted, and enough markets are subscribed.
    fn may_run(&self, begun: bool) -> bool {
        let options = &self.shared.options;
        let waited_for = if begun && !options.waits_for_clients() { 0 } else { options.markets_waited_for() };
        // No two locks at once: this one is released here.
        let wanted = self.shared.progress().wanted;
        wanted && (waited_for == 0 || self.shared.hub().subscribed_markets() >= waited_for)
    }

    /// A tape that waits for its clients waits until the slowest has read.
    async fn wait_for_clients(&self) {
        if !self.shared.options.waits_for_clients() {
            return;
        }
        while self.shared.hub().most_pending() > PENDING_AT_MOST {
            let _ = tokio::time::timeout(LONGEST_SLEEP, self.shared.drained.notified()).await;
        }
    }

    /// Waits for a change; held frames and the ends of silences go on.
    async fn rest(&self) {
        let holds_frames = {
            let mut hub = self.shared.hub();
            hub.end_faults(Instant::now());
            hub.flush(None);
            hub.holds_frames()
        };
        let longest = if holds_frames { LONGEST_SLEEP } else { LONGEST_SLEEP * 10 };
        let _ = tokio::time::timeout(longest, self.shared.changed.notified()).await;
    }
}
