//! The distinct trades that an exchange published.

use std::collections::HashMap;
use std::fmt;
use std::io::Read;

use anyhow::{Context, Result, bail};
use serde::Deserialize;

use super::decimal::Decimal;

/// What makes a trade the same trade.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TradeKey {
    /// Id of the exchange.
    pub exchange: String,
    /// The market in canonical spelling, `BTC/USDT`.
    pub market: String,
    /// The exchange's id of the trade, as text.
    pub id: String,
}

/// A trade as the audit sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Trade {
    /// Exact price.
    pub price: Decimal,
    /// Exact quantity of the base currency.
    pub quantity: Decimal,
    /// The taker's side: `B`uy, `S`ell or `U`nknown.
    pub side: char,
    /// Exchange time in µs since 1970, UTC.
    pub timestamp_us: i64,
}

/// Distinct trades by key.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Trades {
    trades: HashMap<TradeKey, Trade>,
}

/// A line of the simulators' truth.
#[derive(Debug, Deserialize)]
struct Row {
    exchange: String,
    canonical_symbol: String,
    trade_id: String,
    price: String,
    quantity: String,
    side: String,
    timestamp_us: i64,
}

impl fmt::Display for TradeKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} {} trade {}", self.exchange, self.market, self.id)
    }
}

impl fmt::Display for Trade {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} {} at {}, {} µs", self.side, self.quantity, self.price, self.timestamp_us)
    }
}

impl TradeKey {
    /// The trade's position among those of the same time, as the host derives it: the id where it is a number.
    pub fn order(&self) -> u64 {
        self.id.parse().unwrap_or(0)
    }
}

impl Trade {
    /// Reads the fields of a trade from their text.
    pub fn parse(price: &str, quantity: &str, side: &str, timestamp_us: i64) -> Result<Self> {
        let side = match side {
            "BUY" | "buy" => 'B',
            "SELL" | "sell" => 'S',
            "UNKNOWN" | "unknown" => 'U',
            other => bail!("`{other}` is no side of a trade"),
        };
        let price = price.parse().context("the price is bad")?;
        let quantity = quantity.parse().context("the quantity is bad")?;
        Ok(Self { price, quantity, side, timestamp_us })
    }
}

impl Trades {
    /// Adds the trades of a truth file: CSV with the columns exchange, canonical_symbol, trade_id, price, quantity, side
    /// and timestamp_us (others are ignored). Fails on a line that is no trade, and on one id with two different trades.
    pub fn read_csv(&mut self, source: impl Read) -> Result<()> {
        for (index, row) in csv::Reader::from_reader(source).deserialize::<Row>().enumerate() {
            let place = || format!("the truth cannot be used, line {}", index + 2);
            let row = row.with_context(place)?;
            let trade = Trade::parse(&row.price, &row.quantity, &row.side, row.timestamp_us).with_context(place)?;
            let key = TradeKey { exchange: row.exchange, market: row.canonical_symbol, id: row.trade_id };
            self.add(key, trade).with_context(place)?;
        }
        Ok(())
    }

    /// Adds one trade. The same trade again changes nothing; another one under the same key is an error.
    pub fn add(&mut self, key: TradeKey, trade: Trade) -> Result<()> {
        match self.trades.get(&key) {
            None => {
                self.trades.insert(key, trade);
            }
            Some(known) if *known == trade => {}
            Some(known) => bail!("{key} is both {known} and {trade}"),
        }
        Ok(())
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.trades.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.trades.is_empty()
    }

    /// The trade with this key.
    pub fn get(&self, key: &TradeKey) -> Option<&Trade> {
        self.trades.get(key)
    }

    /// All of them, in no particular order.
    pub fn iter(&self) -> impl Iterator<Item = (&TradeKey, &Trade)> {
        self.trades.iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str = "exchange,symbol,canonical_symbol,trade_id,price,quantity,side,timestamp_us\n";

    fn read(lines: &str) -> Result<Trades> {
        let mut trades = Trades::default();
        trades.read_csv(format!("{HEAD}{lines}").as_bytes()).map(|()| trades)
    }

    #[test]
    fn repeated_lines_are_one_trade() {
        let line = "x,BTCUSDT,BTC/USDT,7,2683.80,0.002,BUY,1723161255611000\n";
        let trades = read(&format!("{line}{line}")).unwrap();
        let key = TradeKey { exchange: "x".into(), market: "BTC/USDT".into(), id: "7".into() };
        assert_eq!(trades.len(), 1);
        assert_eq!(key.order(), 7);
        assert_eq!(trades.get(&key), Some(&Trade::parse("2683.8", "0.002", "BUY", 1_723_161_255_611_000).unwrap()));
    }

    #[test]
    fn a_bad_line_is_named() {
        let cases = [
            ("x,A,A/B,1,1,1,BUY,1\nx,A,A/B,1,2,1,BUY,1\n", "line 3"),
            ("x,A,A/B,1,1e3,1,BUY,1\n", "1e3"),
            ("x,A,A/B,1,1,1,LEFT,1\n", "LEFT"),
            ("x,A,A/B,1,1,1,BUY,now\n", "line 2"),
        ];
        for (lines, clue) in cases {
            let error = format!("{:#}", read(lines).unwrap_err());
            assert!(error.contains(clue), "{error}");
        }
    }
}
