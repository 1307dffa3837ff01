//! A CSV of trades of one market, published as if they happened now.

use std::path::Path;

use serde::Deserialize;

use crate::decimal::parse_decimal;
use crate::options::Speed;
use crate::recording::due_at;
use crate::trade::{Side, Trade};

/// The trades of a file, in its order.
pub(crate) struct TradesCsv {
    trades: Vec<Trade>,
    next: usize,
    speed: Speed,
}

#[derive(Deserialize)]
struct Row {
    timestamp_us: i64,
    price: String,
    quantity: String,
    side: String,
    trade_id: u64,
}

impl TradesCsv {
    /// Reads a file with the columns `timestamp_us,price,quantity,side,trade_id`.
    ///
    /// # Errors
    /// Names file and line of a row that is not a trade.
    pub(crate) fn load(file: &Path, speed: Speed) -> Result<Self, String> {
        let mut reader = csv::Reader::from_path(file)
            .map_err(|error| format!("cannot open the trades {}: {error}", file.display()))?;
        let mut trades = Vec::new();
        for (index, row) in reader.deserialize::<Row>().enumerate() {
            let place = |reason: String| format!("the trades {}, line {}: {reason}", file.display(), index + 2);
            let row = row.map_err(|error| place(error.to_string()))?;
            trades.push(read_row(&row, index as u32).map_err(place)?);
        }
        Ok(Self { trades, next: 0, speed })
    }

    /// When the next trade is due, in nanoseconds since the start; none at the end.
    pub(crate) fn due_ns(&self) -> Option<u64> {
        let (first, next) = (self.trades.first()?, self.trades.get(self.next)?);
        let since_first_us = u64::try_from(next.timestamp_us - first.timestamp_us).unwrap_or(0);
        Some(due_at(self.speed, since_first_us.saturating_mul(1_000)))
    }

    /// Appends the next trade; false at the end.
    pub(crate) fn next_trade(&mut self, fills: &mut Vec<Trade>) -> bool {
        let trade = self.trades.get(self.next);
        self.next += 1;
        fills.extend(trade);
        trade.is_some()
    }
}

fn read_row(row: &Row, aggregate: u32) -> Result<Trade, String> {
    let decimal = |text: &str| parse_decimal(text).ok_or_else(|| format!("`{text}` is not a decimal of 64 bits"));
    let ((price, price_scale), (quantity, quantity_scale)) = (decimal(&row.price)?, decimal(&row.quantity)?);
    let side = match row.side.to_ascii_lowercase().as_str() {
        "buy" => Side::Buy,
        "sell" => Side::Sell,
        other => return Err(format!("the side `{other}` is neither buy nor sell")),
    };
    let (id, timestamp_us) = (row.trade_id, row.timestamp_us);
    Ok(Trade { id, timestamp_us, price, quantity, aggregate, price_scale, quantity_scale, side, late: false })
}
