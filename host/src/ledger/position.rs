//! A market's position: what a host that starts anew must know to go on. It is kept in Kafka, as JSON.

use serde::{Deserialize, Serialize};

use super::coverage::MAX_HOLES;
use super::gap::Span;
use crate::trade::TradeId;

/// What Kafka has of one market.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Position {
    /// Version of this layout.
    pub(super) schema: u32,
    /// First and newest id, where ids have no holes of their own.
    pub(super) bounds: Option<(u64, u64)>,
    /// Latest time of a trade, µs since 1970 UTC.
    pub(super) timestamp_us: i64,
    /// Id of that trade.
    pub(super) id: Id,
    /// The newest ids, where they show nothing.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) recent: Vec<Id>,
    /// What is missing before it, and not given up.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) holes: Vec<Hole>,
}

/// A trade's id in JSON: a number or a text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub(super) enum Id {
    Number(u64),
    Text(String),
}

/// What is missing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Hole {
    /// First and last id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) ids: Option<(u64, u64)>,
    /// Time of the trade before it, µs since 1970 UTC.
    pub(super) start_us: i64,
    /// Time of the trade behind it, µs since 1970 UTC.
    pub(super) end_us: i64,
    /// Id of the trade before it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) after: Option<Id>,
    /// Id of the trade behind it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) before: Option<Id>,
}

impl Position {
    pub(super) const SCHEMA: u32 = 1;

    /// Reads a position. The error is a sentence.
    pub(super) fn read(payload: &[u8]) -> Result<Self, String> {
        let position: Self = serde_json::from_slice(payload).map_err(|error| format!("it is not readable: {error}"))?;
        if position.schema != Self::SCHEMA {
            return Err(format!(
                "its schema is {}, and this version of Tapedeck knows {}",
                position.schema,
                Self::SCHEMA
            ));
        }
        if !position.is_sound() {
            return Err("what it says is missing does not lie, in order, within what it says is there".to_owned());
        }
        Ok(position)
    }

    /// Whether holes by id are in order, apart, few enough, and within the bounds; and every hole's times are in order.
    fn is_sound(&self) -> bool {
        let (floor, newest) = self.bounds.unwrap_or_default();
        let mut before = floor;
        let mut by_id = self.holes.iter().filter_map(|hole| hole.ids);
        floor <= newest
            && by_id.clone().count() <= MAX_HOLES
            && by_id.all(|(first, last)| std::mem::replace(&mut before, last) < first && first <= last && last < newest)
            && self.holes.iter().all(|hole| hole.start_us <= hole.end_us)
    }
}

impl Hole {
    pub(super) fn by_time(span: &Span) -> Self {
        let id = |id: &Option<TradeId>| id.clone().map(Id::from);
        Self {
            ids: None,
            start_us: span.start_us,
            end_us: span.end_us,
            after: id(&span.after),
            before: id(&span.before),
        }
    }

    pub(super) fn span(&self) -> Span {
        let id = |id: &Option<Id>| id.as_ref().map(TradeId::from);
        let beside = |id: Option<u64>| id.map(TradeId::Number);
        Span {
            ids: self.ids.map(|(first, last)| first..=last),
            start_us: self.start_us,
            end_us: self.end_us,
            after: self.ids.map_or_else(|| id(&self.after), |(first, _)| beside(first.checked_sub(1))),
            before: self.ids.map_or_else(|| id(&self.before), |(_, last)| beside(last.checked_add(1))),
        }
    }
}

impl From<TradeId> for Id {
    fn from(id: TradeId) -> Self {
        match id {
            TradeId::Number(number) => Self::Number(number),
            TradeId::Text(text) => Self::Text(text.into()),
        }
    }
}

impl From<&Id> for TradeId {
    fn from(id: &Id) -> Self {
        match id {
            Id::Number(number) => Self::Number(*number),
            Id::Text(text) => Self::Text(text.as_str().into()),
        }
    }
}
