//! Pauses between connection attempts: capped exponential growth with full jitter, so that a thousand hosts that lost
//! an exchange at once do not come back at once.

use std::time::Duration;

use backon::{BackoffBuilder as _, ExponentialBackoff, ExponentialBuilder};
use fastrand::Rng;

/// The rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Backoff {
    /// Bound of the first pause.
    pub base: Duration,
    /// Bound of every pause.
    pub cap: Duration,
}

impl Backoff {
    /// Pauses from the beginning.
    pub fn pauses(self) -> Pauses {
        let bounds = ExponentialBuilder::default().with_min_delay(self.base).with_max_delay(self.cap);
        Pauses { bounds: bounds.without_max_times().build(), cap: self.cap }
    }

    /// How long a connection must have lasted for the pauses to begin anew.
    pub fn settled(self) -> Duration {
        self.cap
    }
}

/// The pauses of one row of failures.
#[derive(Debug)]
pub struct Pauses {
    bounds: ExponentialBackoff,
    cap: Duration,
}

impl Pauses {
    /// The next pause: anything from nothing to the bound, which doubles each time.
    pub fn next_pause(&mut self, rng: &mut Rng) -> Duration {
        let bound = self.bounds.next().unwrap_or(self.cap);
        bound.mul_f64(rng.f64())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounds_double_up_to_the_cap_and_pauses_stay_below() {
        let backoff = Backoff { base: Duration::from_millis(250), cap: Duration::from_secs(1) };
        for seed in 0..100 {
            let (mut pauses, mut rng) = (backoff.pauses(), Rng::with_seed(seed));
            for bound in [250, 500, 1000, 1000, 1000] {
                assert!(pauses.next_pause(&mut rng) <= Duration::from_millis(bound));
            }
        }
    }

    #[test]
    fn pauses_are_spread_over_the_whole_bound() {
        let backoff = Backoff { base: Duration::from_secs(1), cap: Duration::from_secs(1) };
        let mut rng = Rng::with_seed(2);
        let firsts: Vec<_> = (0..400).map(|_| backoff.pauses().next_pause(&mut rng).as_millis()).collect();
        for quarter in 0..4 {
            assert!(firsts.iter().any(|pause| (quarter * 250..(quarter + 1) * 250).contains(pause)), "{firsts:?}");
        }
    }
}
