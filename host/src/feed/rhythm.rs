//! A market's own rhythm: how long it usually goes without a trade, learned from its trades, so that a silence which is
//! unusual for this market is seen. A busy market is missed after seconds, a quiet one after hours, and no time is fixed.
//!
//! No clock is read here: the caller says what time it is.

use std::time::Duration;

use tokio::time::Instant;

/// Pauses that are learned from before anything is judged.
const WARM_UP: u32 = 64;

/// One part in so many of the mean is the newest pause.
const MEMORY: f64 = 64.0;

/// The longest pause is forgotten by one part in so many with each pause.
const PEAK_MEMORY: f64 = 1024.0;

/// How many times the mean, and how many times the longest of late, a silence must last to be unusual. In a market whose
/// trades come at random, one pause in e¹⁶, or nine million, is longer than 16 times the mean.
const MEANS: f64 = 16.0;
const PEAKS: f64 = 2.0;

/// A silence that was noticed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Silence {
    #[default]
    None,
    Lasts,
    /// A trade came; nobody has been told.
    Ended,
}

/// What is known of one market.
#[derive(Clone, Debug, Default)]
pub(super) struct Rhythm {
    /// Pauses that were seen.
    pauses: u32,
    /// Exponentially weighted mean of the pauses, in seconds.
    mean: f64,
    /// The longest pause, slowly forgotten, in seconds.
    peak: f64,
    /// When the newest trade came, or the market could be heard again.
    last: Option<Instant>,
    /// Whether a trade came since the market could be heard.
    traded: bool,
    silence: Silence,
}

impl Rhythm {
    /// A trade came.
    pub(super) fn traded(&mut self, now: Instant) {
        if let Some(last) = self.last.filter(|_| self.traded) {
            self.learn(now.saturating_duration_since(last).as_secs_f64());
        }
        self.last = Some(now);
        self.traded = true;
        if self.silence == Silence::Lasts {
            self.silence = Silence::Ended;
        }
    }

    /// Whether a silence that was noticed has ended with a trade; true once for each.
    pub(super) fn ends_silence(&mut self) -> bool {
        let ended = self.silence == Silence::Ended;
        if ended {
            self.silence = Silence::None;
        }
        ended
    }

    /// The market can be heard only from now on: what was missed says nothing of its rhythm.
    pub(super) fn deaf_until(&mut self, now: Instant) {
        self.last = Some(now);
        self.traded = false;
    }

    /// Whether the market has just fallen silent for longer than it ever does; true once for each silence.
    pub(super) fn falls_silent(&mut self, now: Instant) -> bool {
        let (Some(last), Some(patience)) = (self.last, self.patience()) else { return false };
        let falls_silent = self.silence == Silence::None && now.saturating_duration_since(last) > patience;
        if falls_silent {
            self.silence = Silence::Lasts;
        }
        falls_silent
    }

    /// The longest silence that is still usual; none as long as too little is known.
    pub(super) fn patience(&self) -> Option<Duration> {
        (self.pauses >= WARM_UP).then(|| Duration::from_secs_f64(MEANS * self.mean + PEAKS * self.peak))
    }

    /// How long the market has been without a trade.
    pub(super) fn pause(&self, now: Instant) -> Duration {
        self.last.map_or(Duration::ZERO, |last| now.saturating_duration_since(last))
    }

    /// Trades that come in one piece are one: their pauses of nothing would hide the rhythm.
    fn learn(&mut self, pause: f64) {
        if pause < 1e-3 {
            return;
        }
        self.pauses = self.pauses.saturating_add(1);
        // At first the plain mean: the first pause alone would weigh for long.
        self.mean += (pause - self.mean) / MEMORY.min(f64::from(self.pauses));
        self.peak = pause.max(self.peak * (1.0 - 1.0 / PEAK_MEMORY));
    }
}

#[cfg(test)]
mod tests {
    use fastrand::Rng;
    use proptest::prelude::*;

    use super::*;

    /// A pause of a market whose trades come at random, `mean` seconds apart.
    fn at_random(rng: &mut Rng, mean: f64) -> Duration {
        Duration::from_secs_f64(-mean * (1.0 - rng.f64()).ln())
    }

    fn learned(rng: &mut Rng, mean: f64, trades: u32) -> (Rhythm, Instant) {
        let (mut rhythm, mut now) = (Rhythm::default(), Instant::now());
        rhythm.traded(now);
        for _ in 0..trades {
            now += at_random(rng, mean);
            rhythm.traded(now);
        }
        (rhythm, now)
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(200))]

        /// Whatever its pace, a market at its usual pace raises nothing, and one that stops is noticed in proportion to it.
        #[test]
        fn silence_is_judged_by_the_market_s_own_pace(seed: u64, exponent in -1.5_f64..4.0) {
            let (mut rng, mean) = (Rng::with_seed(seed), 10_f64.powf(exponent));
            let (mut rhythm, mut now) = learned(&mut rng, mean, 200);
            for _ in 0..2_000 {
                now += at_random(&mut rng, mean);
                prop_assert!(!rhythm.falls_silent(now), "false alarm after {:?}", rhythm.pause(now));
                rhythm.traded(now);
            }
            let patience = rhythm.patience().expect("it is warm").as_secs_f64();
            prop_assert!((8.0 * mean..80.0 * mean).contains(&patience), "{patience} s at a mean of {mean} s");
            now += Duration::from_secs_f64(patience * 1.01);
            prop_assert!(rhythm.falls_silent(now));
            prop_assert!(!rhythm.falls_silent(now), "once is enough");
            prop_assert!(!rhythm.ends_silence());
            rhythm.traded(now);
            prop_assert!(rhythm.ends_silence(), "the next trade ends it");
            prop_assert!(!rhythm.ends_silence());
        }

        /// A market that slows down tenfold within a thousand trades, as by night, is still no silent market.
        #[test]
        fn a_pace_that_changes_is_learned_anew(seed: u64) {
            let mut rng = Rng::with_seed(seed);
            let (mut rhythm, mut now) = learned(&mut rng, 1.0, 500);
            for step in 0..1_000 {
                now += at_random(&mut rng, 10_f64.powf(f64::from(step) / 1_000.0));
                prop_assert!(!rhythm.falls_silent(now), "false alarm at step {step}");
                rhythm.traded(now);
            }
        }
    }

    #[test]
    fn nothing_is_judged_before_enough_is_known() {
        let mut rng = Rng::with_seed(3);
        let (mut rhythm, now) = learned(&mut rng, 1.0, 10);
        assert_eq!(rhythm.patience(), None);
        assert!(!rhythm.falls_silent(now + Duration::from_secs(1_000_000)));
    }

    #[test]
    fn trades_in_one_piece_are_one() {
        let mut rhythm = Rhythm::default();
        let mut now = Instant::now();
        for _ in 0..200 {
            now += Duration::from_secs(5);
            (0..50).for_each(|_| rhythm.traded(now));
        }
        let patience = rhythm.patience().unwrap_or_default();
        assert!(patience > Duration::from_secs(80), "{patience:?}");
    }

    #[test]
    fn an_outage_of_ours_is_no_silence_of_the_market() {
        let mut rng = Rng::with_seed(4);
        let (mut rhythm, now) = learned(&mut rng, 1.0, 200);
        let patience = rhythm.patience();
        let back = now + Duration::from_secs(7_200);
        rhythm.deaf_until(back);
        assert!(!rhythm.falls_silent(back));
        rhythm.traded(back + Duration::from_secs(1));
        assert_eq!(rhythm.patience(), patience, "nothing is learned from the time between");
        assert!(rhythm.falls_silent(back + Duration::from_secs(7_200)));
    }
}
