//! A trade as text.

use std::fmt;

use crate::{Side, Trade, TradeId};

/// A trade with symbol, decimals and id as the text that the exchange sent, to be compared at a glance.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shown {
    /// The exchange's spelling of the market.
    pub symbol: String,
    /// Price, plain, with all its digits.
    pub price: String,
    /// Quantity, as the price.
    pub quantity: String,
    /// `buy`, `sell` or `unknown`.
    pub side: &'static str,
    /// Microseconds since 1970.
    pub timestamp: i64,
    /// The trade's id.
    pub id: String,
}

impl Shown {
    /// The trade of a session with these symbols.
    #[must_use]
    pub fn new(trade: &Trade, symbols: &[String]) -> Self {
        let symbol = symbols.get(trade.market as usize);
        Self {
            symbol: symbol.cloned().unwrap_or_else(|| format!("no market {}", trade.market)),
            price: trade.price.to_string(),
            quantity: trade.quantity.to_string(),
            side: match trade.side {
                Side::Buy => "buy",
                Side::Sell => "sell",
                Side::Unknown => "unknown",
            },
            timestamp: trade.timestamp,
            id: match &trade.id {
                TradeId::Number(number) => number.to_string(),
                TradeId::Text(text) => text.clone(),
            },
        }
    }
}

/// `BTC/USD buy 0.5 at 105944.20, 1696613755440000, id 17`
impl fmt::Display for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { symbol, price, quantity, side, timestamp, id } = self;
        write!(f, "{symbol} {side} {quantity} at {price}, {timestamp}, id {id}")
    }
}
