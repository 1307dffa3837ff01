//! One trade, as small as it can be kept: a simulator remembers every one of them.

use serde::Serialize;

use crate::decimal::decimal_text;

/// The taker's side.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Side {
    /// The taker bought.
    Buy,
    /// The taker sold.
    Sell,
}

impl Side {
    /// `BUY` or `SELL`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Buy => "BUY",
            Self::Sell => "SELL",
        }
    }
}

/// One trade of a market.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Trade {
    /// The exchange's id: the one before plus one, per market.
    pub id: u64,
    /// Time of the trade in microseconds since 1970-01-01T00:00:00Z.
    pub timestamp_us: i64,
    /// Price times 10 to the power of `price_scale`.
    pub price: u64,
    /// Quantity times 10 to the power of `quantity_scale`.
    pub quantity: u64,
    /// Which aggregate of its market this trade belongs to, counted from 0: fills of one taker at one price.
    pub aggregate: u32,
    /// Digits of the price after the point.
    pub price_scale: u8,
    /// Digits of the quantity after the point.
    pub quantity_scale: u8,
    /// The taker's side.
    pub side: Side,
    /// Whether the trade carries a time of hours before its neighbours.
    pub late: bool,
}

// The simulator remembers every trade: a longer one costs memory in proportion.
const _: () = assert!(size_of::<Trade>() == 40);

impl Trade {
    /// The price's text, digit by digit as it is published.
    pub fn price_text(&self) -> String {
        decimal_text(self.price, self.price_scale)
    }

    /// The quantity's text, digit by digit as it is published.
    pub fn quantity_text(&self) -> String {
        decimal_text(self.quantity, self.quantity_scale)
    }

    /// Whether the taker's order was a limit order; the other kind is a market order. A function of the id, so that
    /// socket and REST say the same.
    pub(crate) fn limit_order(&self) -> bool {
        crate::random::mix(self.id) & 1 == 0
    }
}
