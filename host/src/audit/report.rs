//! What the audit found.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Serialize;

use super::days::Day;

/// The most differences that a report lists; more are only counted.
const LISTED: usize = 10_000;

/// One of the comparisons.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Part {
    /// Trades of silver against their ids and their counts.
    Silver,
    /// Candles against a recomputation from silver.
    Gold,
    /// Kafka's offsets against bronze and the quarantine.
    Kafka,
}

impl Part {
    /// All of them, in the order of the report.
    pub const ALL: [Self; 3] = [Self::Silver, Self::Gold, Self::Kafka];

    /// What is compared, for people.
    #[must_use]
    pub fn title(self) -> &'static str {
        match self {
            Self::Silver => "silver against ids (trades)",
            Self::Gold => "gold against silver (candles)",
            Self::Kafka => "bronze against Kafka (offsets)",
        }
    }
}

/// One thing that is not as it should be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Difference {
    /// Comparison that found it.
    pub part: Part,
    /// What it is, in one or two words.
    pub kind: String,
    /// Exchange.
    pub exchange: String,
    /// Market, with the interval of a candle; or partition of a topic.
    pub subject: String,
    /// When, UTC; of Kafka's offsets nothing.
    pub at: String,
    /// What is there and what should be.
    pub detail: String,
}

/// Everything that was compared and what differs.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Report {
    /// First instant of the window; none where no day was left to compare.
    pub from: Option<String>,
    /// End of the window.
    pub to: Option<String>,
    /// How many trades, candles and offsets were compared.
    pub compared: BTreeMap<Part, u64>,
    /// How many differences there are, a part.
    pub different: BTreeMap<Part, u64>,
    /// Buckets that were wrong and were made right.
    pub mended: usize,
    /// What is worth knowing and no difference.
    pub notes: Vec<String>,
    /// The differences, the first 10,000 of them.
    pub differences: Vec<Difference>,
}

impl Report {
    pub(super) fn new(days: &[Day]) -> Self {
        let from = days.first().map(|day| time(day.from));
        let to = days.last().map(|day| time(day.to));
        Self { from, to, ..Self::default() }
    }

    /// Whether nothing differs.
    #[must_use]
    pub fn is_clean(&self) -> bool {
        self.different.values().all(|count| *count == 0)
    }

    pub(super) fn add_compared(&mut self, part: Part, count: u64) {
        *self.compared.entry(part).or_default() += count;
    }

    pub(super) fn add(&mut self, difference: Difference) {
        *self.different.entry(difference.part).or_default() += 1;
        if self.differences.len() < LISTED {
            self.differences.push(difference);
        }
    }
}

/// The host's reason for what is missing, as the end of a sentence; nothing where it gave none.
pub(super) fn because(reason: &str) -> String {
    match reason {
        "" => String::new(),
        reason => format!(": {}", crate::plugin::bounded_escaped(reason, 200)),
    }
}

/// A second since 1970 as UTC.
pub(super) fn time(second: u32) -> String {
    Timestamp::from_second(i64::from(second)).map_or_else(|_| second.to_string(), |time| time.to_string())
}
