//! What is known of each market's trades: which came already, by whatever connection.
//!
//! This is a courtesy to readers of Kafka; what it forgets, silver absorbs.

use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::trade::Trade;

mod recent;

use recent::Recent;

/// What is known of the trades of a feed's markets; shared by its connections.
#[derive(Debug)]
pub struct Ledger {
    markets: Vec<Mutex<Recent>>,
}

impl Ledger {
    /// A ledger in which nothing is written yet.
    pub fn new(markets: usize) -> Self {
        Self { markets: (0..markets).map(|_| Mutex::default()).collect() }
    }

    /// Whether this trade comes for the first time.
    pub fn is_new(&self, trade: &Trade) -> bool {
        self.market(trade.market).is_none_or(|mut recent| recent.is_new(&trade.id))
    }

    fn market(&self, market: u32) -> Option<MutexGuard<'_, Recent>> {
        let market = self.markets.get(market as usize)?;
        Some(market.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
