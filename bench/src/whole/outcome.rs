//! What was measured at one rate.

use crate::rounds::{Measurement, Series};
use crate::sample::Sample;
use crate::statistics::Summary;
use crate::unit::Unit;

/// Figure: processors' worth.
pub(super) const CPU: &str = "processor";
/// Figure: resident memory.
pub(super) const MEMORY: &str = "memory";

/// What came out at the far end.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Counts {
    /// Trades that the exchanges published.
    pub(super) published: u64,
    /// Distinct trades in silver.
    pub(super) silver: u64,
    /// Trades in candles.
    pub(super) candles: u64,
    /// Hours of markets that completeness has counted.
    pub(super) hours: u64,
    /// Those of them that are complete.
    pub(super) complete_hours: u64,
    /// Trades in those hours.
    pub(super) counted: u64,
    /// Records that are no trades.
    pub(super) quarantined: u64,
}

impl Counts {
    /// Whether nothing is missing, and completeness says so.
    pub(super) fn are_complete(&self) -> bool {
        let same = [self.silver, self.candles, self.counted].iter().all(|count| *count == self.published);
        same && self.published > 0 && self.complete_hours == self.hours && self.quarantined == 0
    }

    /// Trades that are not in a candle.
    pub(super) fn lost(&self) -> u64 {
        self.published.saturating_sub(self.candles)
    }

    fn sample(&self) -> Sample {
        let counts = [
            ("published", self.published),
            ("in silver", self.silver),
            ("in candles", self.candles),
            ("hours", self.hours),
            ("complete hours", self.complete_hours),
            ("quarantined", self.quarantined),
        ];
        counts.iter().fold(Sample::new(), |sample, (name, count)| sample.with(name, *count as f64, Unit::Count))
    }
}

/// One rate.
#[derive(Debug)]
pub(super) struct Outcome {
    pub(super) rate: u32,
    /// One for each of [`Outcome::PROCESSES`], then that of the candles.
    pub(super) series: Vec<Series>,
    pub(super) counts: Counts,
}

impl Outcome {
    /// What is measured; the last is not part of the system.
    pub(super) const PROCESSES: [&'static str; 4] = ["host", "Kafka", "ClickHouse", "simulated exchanges"];
    /// How many of those are the system.
    pub(super) const OWN: usize = 3;
    /// Name of the series of latencies.
    pub(super) const CANDLES: &'static str = "candles";

    /// A figure of a process, or of the candles.
    pub(super) fn summary(&self, name: &str, figure: &str) -> Option<Summary> {
        self.series.iter().find(|series| series.contender == name)?.summary(figure)
    }

    /// A figure of the whole system, added up window by window.
    pub(super) fn together(&self, figure: &str) -> Option<Summary> {
        let own = &self.series[..Self::OWN];
        let windows = own.iter().map(|series| series.samples.len()).min()?;
        let of_window = |window: usize| {
            own.iter().filter_map(|series| series.samples[window].get(figure)).map(|figure| figure.value).sum()
        };
        Summary::of(&(0..windows).map(of_window).collect::<Vec<f64>>())
    }

    /// All samples.
    pub(super) fn measurement(self) -> Measurement {
        let title = format!("{} trades a second", Unit::Count.show(f64::from(self.rate)));
        let mut series = self.series;
        series.push(Series { contender: "what came out".to_owned(), samples: vec![self.counts.sample()] });
        Measurement { title, series, left_out: Vec::new() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_whole_is_added_up_window_by_window() {
        let series = |name: &str, cores: [f64; 3]| Series {
            contender: name.to_owned(),
            samples: cores.map(|cores| Sample::new().with(CPU, cores, Unit::Cores)).to_vec(),
        };
        let series = vec![
            series("host", [0.1, 0.3, 0.2]),
            series("Kafka", [0.2, 0.1, 0.1]),
            series("ClickHouse", [0.5, 0.4, 0.3]),
            series("simulated exchanges", [9.0; 3]),
        ];
        let outcome = Outcome { rate: 1_000, series, counts: Counts::default() };
        let together = outcome.together(CPU).unwrap();
        assert!((together.median - 0.8).abs() < 1e-9 && (together.low - 0.6).abs() < 1e-9, "{together:?}");
    }

    #[test]
    fn nothing_may_be_missing() {
        let all =
            Counts { published: 9, silver: 9, candles: 9, hours: 2, complete_hours: 2, counted: 9, quarantined: 0 };
        assert!(all.are_complete());
        for spoilt in [
            Counts { silver: 8, ..all },
            Counts { candles: 8, ..all },
            Counts { counted: 8, ..all },
            Counts { complete_hours: 1, ..all },
            Counts { quarantined: 1, ..all },
            Counts::default(),
        ] {
            assert!(!spoilt.are_complete(), "{spoilt:?}");
        }
    }
}
