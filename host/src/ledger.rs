//! What is known of each market's trades, by whatever way they come: which came already, what is missing between them,
//! and how far Kafka has them.
//!
//! Where an exchange's ids have no holes of their own, a jump is a gap. It may close by itself within a bound, since
//! trades may be out of order and a second connection may lag; then it is due to be asked for. Where ids show nothing,
//! the time without a connection is the gap.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use crate::clock::now_us;
use crate::plugin::TradeIds;
use crate::trade::Trade;

mod coverage;
mod gap;
mod market;
mod position;
mod recent;

pub use gap::{Attempt, Due, GapState, Notice, Span};
use market::{MarketLedger, Moment};
use position::Position;

/// What is known of the trades of a feed's markets; shared by its connections.
#[derive(Debug)]
pub struct Ledger {
    ids: TradeIds,
    markets: Vec<Mutex<MarketLedger>>,
}

impl Ledger {
    /// A ledger in which nothing is written yet.
    pub fn new(markets: usize, ids: TradeIds) -> Self {
        let markets = (0..markets).map(|_| Mutex::new(MarketLedger::new(ids))).collect();
        Self { ids, markets }
    }

    /// Whether this trade comes for the first time.
    pub fn is_new(&self, trade: &Trade) -> bool {
        self.market(trade.market).is_none_or(|mut market| market.is_new(trade, Moment::now))
    }

    /// Notes that a new trade was handed to Kafka's producer.
    pub fn accepted(&self, trade: &Trade) {
        if let Some(mut market) = self.market(trade.market) {
            market.accepted(trade);
        }
    }

    /// Notes that one more connection brings a market's trades.
    pub fn connected(&self, market: u32, connection: u64) {
        if let Some(mut market) = self.market(market) {
            market.connected(connection);
        }
    }

    /// Notes that a connection has brought a trade, after it was accepted if it came for the first time.
    pub fn brought(&self, connection: u64, trade: &Trade) {
        // Where ids show what is missing, nothing depends on who brought what.
        if !self.ids.show_gaps()
            && let Some(mut market) = self.market(trade.market)
        {
            market.brought(connection, trade);
        }
    }

    /// Notes that a connection which brought a market's trades does not any more. Without any, trades may be missed.
    pub fn disconnected(&self, market: u32, connection: u64) {
        if let Some(mut market) = self.market(market) {
            market.disconnected(connection);
        }
    }

    /// The gaps that are to be asked for now, having stood open for `patience`. Each counts as being asked for until
    /// [`Ledger::attempted`].
    pub fn due(&self, patience: Duration) -> Vec<Due> {
        let now = Moment::now();
        self.each().flat_map(|(index, mut market)| market.due(index, patience, now)).collect()
    }

    /// Notes how asking for a gap went.
    pub fn attempted(&self, due: &Due, attempt: Attempt) {
        if let Some(mut market) = self.market(due.market) {
            market.attempted(due.number, attempt, Instant::now());
        }
    }

    /// What became of gaps since the last call.
    pub fn take_notices(&self) -> Vec<Notice> {
        self.each().flat_map(|(index, mut market)| market.take_notices(index)).collect()
    }

    /// Notes that news of a gap are on their way to Kafka.
    pub fn told(&self, notice: &Notice) {
        if let (GapState::Missing(_), Some(mut market)) = (&notice.state, self.market(notice.market)) {
            market.told(&notice.span);
        }
    }

    /// How many gaps have not come to their end.
    pub fn open_gaps(&self) -> usize {
        self.each().map(|(_, market)| market.open_gaps()).sum()
    }

    /// The positions of the markets that changed since the last call: a market's index and the JSON that
    /// [`Ledger::restore`] reads.
    pub fn take_positions(&self) -> Vec<(u32, Vec<u8>)> {
        self.each()
            .filter_map(|(index, mut market)| Some((index, serde_json::to_vec(&market.take_position()?).ok()?)))
            .collect()
    }

    /// Goes on where a former host stopped.
    ///
    /// # Errors
    /// The position is none, or of a newer version: a sentence.
    pub fn restore(&self, market: u32, position: &[u8]) -> Result<(), String> {
        let position = Position::read(position)?;
        if let Some(mut market) = self.market(market) {
            market.restore(&position, Moment::now());
        }
        Ok(())
    }

    fn market(&self, market: u32) -> Option<MutexGuard<'_, MarketLedger>> {
        self.markets.get(market as usize).map(|market| market.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn each(&self) -> impl Iterator<Item = (u32, MutexGuard<'_, MarketLedger>)> {
        (0..).zip(&self.markets).map(|(index, market)| (index, market.lock().unwrap_or_else(PoisonError::into_inner)))
    }
}

impl Moment {
    fn now() -> Self {
        Self { instant: Instant::now(), utc_us: now_us() }
    }
}

#[cfg(test)]
mod model;
#[cfg(test)]
mod tests;
