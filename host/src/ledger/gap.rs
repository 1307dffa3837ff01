//! A gap: trades of one market that did not come, from the moment it is seen to its end.

use std::ops::RangeInclusive;
use std::time::Duration;

use tokio::time::Instant;

use crate::trade::TradeId;

/// What is known of a gap.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Span {
    /// The ids that are missing, where the exchange's ids have no holes of their own.
    pub ids: Option<RangeInclusive<u64>>,
    /// Time of the trade before it, µs since 1970 UTC.
    pub start_us: i64,
    /// Time of the trade behind it, µs since 1970 UTC.
    pub end_us: i64,
    /// Id of the trade before it.
    pub after: Option<TradeId>,
    /// Id of the trade behind it.
    pub before: Option<TradeId>,
}

/// What a gap has come to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    /// It may still close by itself: trades out of order, a second connection.
    Young,
    /// It is known to be one, and waits to be asked for at this time.
    Waiting(Instant),
    /// It is being asked for.
    Asked,
}

/// A gap that has not come to its end.
#[derive(Clone, Debug)]
pub(super) struct Gap {
    pub(super) number: u64,
    pub(super) span: Span,
    pub(super) found: Instant,
    pub(super) found_at_us: i64,
    pub(super) stage: Stage,
    /// How often it was asked for.
    pub(super) attempts: u32,
    /// How often the exchange answered without all of it.
    pub(super) answers: usize,
}

/// News of a gap, for the log and for the topic of gaps.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    /// Index of the market.
    pub market: u32,
    /// What is missing, or was.
    pub span: Span,
    /// When it was seen first, µs since 1970 UTC.
    pub found_at_us: i64,
    /// What became of it.
    pub state: GapState,
}

/// What became of a gap.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum GapState {
    /// It is there, and will be asked for.
    Open,
    /// Its trades came, or nothing is known to be missing of them any more.
    Filled,
    /// Its trades will not be asked for any more, for this reason.
    Missing(String),
}

impl GapState {
    /// As records spell it.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Filled => "filled",
            Self::Missing(_) => "missing",
        }
    }
}

/// A gap whose turn it is.
#[derive(Clone, Debug)]
pub struct Due {
    /// Names it, together with the market.
    pub number: u64,
    /// Index of the market.
    pub market: u32,
    /// When it was seen first.
    pub found: Instant,
    /// How often it was asked for before.
    pub attempts: u32,
    /// What to ask for: the parts of it that are still missing.
    pub parts: Vec<Span>,
}

/// How an attempt ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Attempt {
    /// The exchange has told all that it has.
    Answered,
    /// It is to be asked again after this time.
    Later(Duration),
    /// It makes no sense to ask again, for this reason.
    GiveUp(String),
}
