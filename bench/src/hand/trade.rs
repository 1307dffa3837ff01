//! A trade as the loop reads it from a frame, without copying anything.

use std::collections::HashMap;

/// A trade.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Trade<'a> {
    /// The exchange's spelling of the market.
    pub symbol: &'a str,
    /// The exchange's id.
    pub id: u64,
    /// Price, as the exchange wrote it.
    pub price: &'a str,
    /// Quantity, as the exchange wrote it.
    pub quantity: &'a str,
    /// Whether the taker sold.
    pub sell: bool,
    /// The exchange's time.
    pub timestamp_us: i64,
}

/// A market that is wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Market {
    /// Name of the exchange.
    pub exchange: &'static str,
    /// `BASE/QUOTE`.
    pub canonical_symbol: &'static str,
    /// Key of its records.
    pub key: String,
}

/// Markets by the exchange's spelling.
#[derive(Debug, Clone)]
pub struct Markets(HashMap<&'static str, Market>);

impl Markets {
    /// The markets of an exchange: what it calls them, and what we do.
    #[must_use]
    pub fn new(exchange: &'static str, markets: &[(&'static str, &'static str)]) -> Self {
        let market =
            |canonical_symbol| Market { exchange, canonical_symbol, key: format!("{exchange}:{canonical_symbol}") };
        Self(markets.iter().map(|(symbol, canonical_symbol)| (*symbol, market(canonical_symbol))).collect())
    }

    /// The market that the exchange spells so.
    #[must_use]
    pub fn get(&self, symbol: &str) -> Option<&Market> {
        self.0.get(symbol)
    }
}
