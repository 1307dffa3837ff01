//! Budgets: how often something may be done in a window of time, as the exchange's limits say.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use governor::clock::Clock;
use governor::middleware::NoOpMiddleware;
use governor::state::{InMemoryState, NotKeyed};
use governor::{Quota, RateLimiter};
use tokio::time::{Instant, sleep_until};
use url::Url;

/// So many of something in any window of time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Allowance {
    /// How many, at least one.
    pub count: u32,
    /// In how long a time, longer than zero.
    pub window: Duration,
}

impl Allowance {
    /// The same without a part of `1 / part` that is left for others.
    #[must_use]
    pub fn without(self, part: u32) -> Self {
        Self { count: (self.count - self.count / part.max(1)).max(1), ..self }
    }

    /// Half of the count may come at once, and the rest spread over the window: never more than the count in any window,
    /// wherever it begins.
    fn quota(self) -> Quota {
        let count = self.count.max(1);
        let burst = count.div_ceil(2);
        let interval = (self.window / (count - burst + 1)).max(Duration::from_nanos(1));
        let burst = std::num::NonZeroU32::new(burst).unwrap_or(std::num::NonZeroU32::MIN);
        // Only a period of zero gives none.
        Quota::with_period(interval).unwrap_or_else(|| Quota::per_hour(burst)).allow_burst(burst)
    }
}

/// Tokio's clock, which tests can pause.
#[derive(Clone, Debug)]
struct TokioClock(Instant);

impl Clock for TokioClock {
    type Instant = Duration;

    fn now(&self) -> Duration {
        self.0.elapsed()
    }
}

/// A budget that is spent one by one.
pub(super) struct Budget {
    clock: TokioClock,
    limiter: RateLimiter<NotKeyed, InMemoryState, TokioClock, NoOpMiddleware<Duration>>,
}

impl Budget {
    pub(super) fn new(allowance: Allowance) -> Self {
        let clock = TokioClock(Instant::now());
        Self { limiter: RateLimiter::direct_with_clock(allowance.quota(), clock.clone()), clock }
    }

    /// Spends one if there is one; else the time when to ask again.
    pub(super) fn take(&self) -> Result<(), Instant> {
        self.limiter.check().map_err(|not_until| {
            let wait = not_until.wait_time_from(self.clock.now());
            Instant::now() + wait.max(Duration::from_micros(1))
        })
    }
}

/// Connection attempts, first come first served.
struct Attempts {
    budget: Budget,
    turn: tokio::sync::Mutex<()>,
}

/// What exchanges allow, by host; shared by all sessions. It begins anew with the process.
#[derive(Clone, Default)]
pub struct Budgets {
    hosts: Arc<Mutex<Hosts>>,
}

/// A host's name, and what it allows: plugins that disagree about that have a budget each.
type Host = (String, Allowance);

#[derive(Default)]
struct Hosts {
    attempts: HashMap<Host, Arc<Attempts>>,
    messages: HashMap<Host, Arc<Budget>>,
}

impl std::fmt::Debug for Budgets {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Budgets").finish_non_exhaustive()
    }
}

impl Budgets {
    /// Waits until a connection to the host of this url may be tried, and counts the attempt. Who gives up waiting spends
    /// nothing.
    pub(super) async fn attempt(&self, url: &str, allowance: Allowance) {
        let attempts = self.attempts(url, allowance);
        let _turn = attempts.turn.lock().await;
        while let Err(at) = attempts.budget.take() {
            sleep_until(at).await;
        }
    }

    /// What may be sent to the host of this url, by all connections together. A fifth of it is kept for the answers to the
    /// exchange's pings, which go past it.
    pub(super) fn messages(&self, url: &str, allowance: Allowance) -> Arc<Budget> {
        let make = || Arc::new(Budget::new(allowance.without(5)));
        Arc::clone(self.lock().messages.entry((host(url), allowance)).or_insert_with(make))
    }

    fn attempts(&self, url: &str, allowance: Allowance) -> Arc<Attempts> {
        let make = || Arc::new(Attempts { budget: Budget::new(allowance), turn: tokio::sync::Mutex::default() });
        Arc::clone(self.lock().attempts.entry((host(url), allowance)).or_insert_with(make))
    }

    fn lock(&self) -> MutexGuard<'_, Hosts> {
        self.hosts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn host(url: &str) -> String {
    Url::parse(url).ok().and_then(|url| url.host_str().map(str::to_owned)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const MINUTE: Duration = Duration::from_secs(60);

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn no_window_holds_more_than_its_count(count in 1_u32..40, window_ms in 1_u64..100_000, idle in 0_u64..3) {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
            runtime.block_on(async {
                let window = Duration::from_millis(window_ms);
                let budget = Budget::new(Allowance { count, window });
                let mut times = Vec::new();
                while times.len() < 4 * count as usize {
                    match budget.take() {
                        Ok(()) => times.push(Instant::now()),
                        Err(at) => sleep_until(at + window.mul_f64(0.1 * idle as f64)).await,
                    }
                }
                for (first, last) in times.iter().zip(&times[count as usize..]) {
                    // The timer's own grain is a millisecond, always late.
                    assert!(*last - *first + Duration::from_millis(1) >= window, "{count} in {window:?}: {:?}", *last - *first);
                }
            });
        }
    }

    #[tokio::test(start_paused = true)]
    async fn sessions_to_one_host_share_their_attempts() {
        let budgets = Budgets::default();
        let allowance = Allowance { count: 4, window: MINUTE };
        let began = Instant::now();
        let attempts = (0..8).map(|number| {
            let budgets = budgets.clone();
            async move { budgets.attempt(&format!("wss://stream.example.com:{}/ws", 9000 + number), allowance).await }
        });
        futures_util::future::join_all(attempts).await;
        assert!(began.elapsed() >= MINUTE, "8 attempts took {:?}", began.elapsed());
        let before = Instant::now();
        budgets.attempt("wss://other.example.com/ws", allowance).await;
        assert_eq!(before.elapsed(), Duration::ZERO, "another host has a budget of its own");
    }

    #[test]
    fn a_part_is_left_for_others() {
        let allowance = |count| Allowance { count, window: MINUTE };
        assert_eq!(allowance(5).without(5), allowance(4));
        assert_eq!(allowance(1).without(5), allowance(1));
        assert_eq!(allowance(10).without(5), allowance(8));
    }
}
