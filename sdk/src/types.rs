//! Ways to make the records of the world.

use crate::{Decimal, OpenError, Side, Source, Trade, TradeId};

impl Trade {
    /// A live trade with what every exchange gives. Its order is the number of its id (0 for a text), its count 1, its
    /// vendor text empty. Set other fields with `Trade { source: Source::Snapshot, ..Trade::new(…) }`.
    #[must_use]
    pub fn new(market: u32, id: TradeId, price: Decimal, quantity: Decimal, side: Side, timestamp: i64) -> Self {
        let order = match id {
            TradeId::Number(number) => number,
            TradeId::Text(_) => 0,
        };
        let (frame, count, source, vendor) = (0, 1, Source::Live, String::new());
        Self { frame, market, id, order, count, price, quantity, side, timestamp, source, vendor }
    }
}

impl OpenError {
    /// An error that is no single market's.
    #[must_use]
    pub fn new(reason: impl Into<String>) -> Self {
        Self { market: None, reason: reason.into() }
    }

    /// An error of the market with this index in the request.
    #[must_use]
    pub fn of_market(index: usize, reason: impl Into<String>) -> Self {
        Self { market: u32::try_from(index).ok(), reason: reason.into() }
    }
}
