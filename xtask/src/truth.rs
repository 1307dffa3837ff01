//! The audit: candles recomputed from the distinct trades that an exchange published, in exact integers and independently
//! of ClickHouse, and the comparison of both with what ClickHouse holds.

mod candles;
mod compare;
mod decimal;
mod trades;

pub use candles::{Candle, CandleKey, Candles, Interval};
pub use compare::{Report, compare};
pub use decimal::{Decimal, Sum};
pub use trades::{Trade, TradeKey, Trades};
