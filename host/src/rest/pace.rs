//! So much weight in a window of time, as a rate and a burst that never let more pass in any window.

use std::num::NonZeroU32;
use std::time::Duration;

use governor::clock::Clock;
use governor::middleware::NoOpMiddleware;
use governor::state::{InMemoryState, NotKeyed};
use governor::{Quota, RateLimiter};
use tokio::time::Instant;

use crate::plugin::Rate;

/// Paces weights. One at a time is to wait in it.
#[derive(Debug)]
pub(super) struct Pace {
    limiter: RateLimiter<NotKeyed, InMemoryState, TokioClock, NoOpMiddleware<Duration>>,
    clock: TokioClock,
    burst: NonZeroU32,
}

/// Tokio's clock, so that tests can pause time.
#[derive(Clone, Debug)]
struct TokioClock(Instant);

impl Clock for TokioClock {
    type Instant = Duration;

    fn now(&self) -> Duration {
        self.0.elapsed()
    }
}

impl Pace {
    /// A pace for an exchange's rate; none if the rate lets nothing through.
    pub(super) fn new(rate: Rate) -> Option<Self> {
        let (burst, period) = burst_and_period(rate)?;
        let clock = TokioClock(Instant::now());
        let quota = Quota::with_period(period)?.allow_burst(burst);
        Some(Self { limiter: RateLimiter::direct_with_clock(quota, clock.clone()), clock, burst })
    }

    /// Waits until this weight may pass. More than a burst passes in pieces.
    pub(super) async fn wait(&self, weight: u32) {
        let mut left = weight;
        while let Some(piece) = NonZeroU32::new(left.min(self.burst.get())) {
            match self.limiter.check_n(piece) {
                Ok(Ok(())) => left -= piece.get(),
                Ok(Err(until)) => {
                    // A timer's tick is a millisecond: less would spin.
                    let pause = until.wait_time_from(self.clock.now()).max(Duration::from_millis(1));
                    tokio::time::sleep(pause).await;
                }
                // A piece is never larger than the burst.
                Err(_) => return,
            }
        }
    }
}

/// A bucket that holds `burst` and gains one in each `period` lets through at most `burst + ⌈window / period⌉ − 1` in any window.
/// Half of what the exchange allows is the burst here, the rest comes steadily, and together they are what it allows.
fn burst_and_period(rate: Rate) -> Option<(NonZeroU32, Duration)> {
    let burst = NonZeroU32::new(rate.count.div_ceil(2))?;
    let steady = rate.count - burst.get() + 1;
    let nanos = rate.window.as_nanos().div_ceil(u128::from(steady)).max(1);
    Some((burst, Duration::from_nanos(u64::try_from(nanos).ok()?)))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn no_window_sees_more_than_the_exchange_allows(
            count in 1_u32..200,
            window_ms in 50_u64..5_000,
            weights in prop::collection::vec(1_u32..60, 1..60),
        ) {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
            let window = Duration::from_millis(window_ms);
            let weights: Vec<u32> = weights.into_iter().map(|weight| weight.min(count)).collect();
            // A request goes out when all of its weight has passed.
            let sent = runtime.block_on(async {
                let pace = Pace::new(Rate { count, window }).unwrap();
                let began = Instant::now();
                let mut sent = Vec::new();
                for &weight in &weights {
                    pace.wait(weight).await;
                    sent.push((began.elapsed(), weight));
                }
                sent
            });
            for (index, &(from, _)) in sent.iter().enumerate() {
                let inside: u32 = sent[index..].iter().take_while(|(at, _)| *at < from + window).map(|(_, weight)| weight).sum();
                // A request of more than a burst has been saving for a while before it goes out at once.
                let burst = count.div_ceil(2);
                let saved = sent[index].1.saturating_sub(burst);
                prop_assert!(inside <= count + saved, "{inside} of {count} in {window:?} from {from:?}: {sent:?}");
            }
        }
    }

    #[tokio::test(start_paused = true)]
    async fn the_rate_is_reached() {
        let pace = Pace::new(Rate { count: 6000, window: Duration::from_secs(60) }).unwrap();
        let began = Instant::now();
        for _ in 0..240 {
            pace.wait(25).await;
        }
        // A burst of 3000 at once, and the other 3000 of the minute as it goes.
        let took = began.elapsed();
        assert!((Duration::from_secs(58)..Duration::from_secs(61)).contains(&took), "{took:?}");
    }

    #[test]
    fn a_rate_of_nothing_is_none() {
        assert!(burst_and_period(Rate { count: 0, window: Duration::from_secs(1) }).is_none());
        let one = burst_and_period(Rate { count: 1, window: Duration::from_secs(1) });
        assert_eq!(one, Some((NonZeroU32::MIN, Duration::from_secs(1))));
    }
}
