//! Candles recomputed from trades: first and last by (timestamp, order, id), sums exact.

use std::collections::BTreeMap;
use std::fmt;

use anyhow::Result;

use super::decimal::{Decimal, Sum};
use super::trades::{Trade, TradeKey, Trades};

/// The length of a candle.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[expect(missing_docs)]
pub enum Interval {
    OneMinute,
    FiveMinutes,
    FifteenMinutes,
    ThirtyMinutes,
    OneHour,
    OneDay,
}

/// Which candle.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct CandleKey {
    /// Its length.
    pub interval: Interval,
    /// Id of the exchange.
    pub exchange: String,
    /// The market in canonical spelling.
    pub market: String,
    /// Its start, seconds since 1970, UTC.
    pub bucket: i64,
}

/// A candle's values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs)]
pub struct Candle {
    pub open: Decimal,
    pub high: Decimal,
    pub low: Decimal,
    pub close: Decimal,
    /// Sum of the quantities.
    pub volume: Sum,
    /// Sum of price times quantity.
    pub quote_volume: Sum,
    /// Number of distinct trades.
    pub trades: u64,
}

impl fmt::Display for CandleKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} {} {} of {} s", self.exchange, self.market, self.interval.name(), self.bucket)
    }
}

impl fmt::Display for Candle {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { open, high, low, close, volume, quote_volume, trades } = self;
        write!(formatter, "{open} {high} {low} {close}, volume {volume}, in quote {quote_volume}, {trades} trades")
    }
}

/// Candles by key.
pub type Candles = BTreeMap<CandleKey, Candle>;

impl Interval {
    /// All six, shortest first.
    pub const ALL: [Self; 6] =
        [Self::OneMinute, Self::FiveMinutes, Self::FifteenMinutes, Self::ThirtyMinutes, Self::OneHour, Self::OneDay];

    /// Its name, as in the name of its view, `ohlcv_1m`.
    pub fn name(self) -> &'static str {
        match self {
            Self::OneMinute => "1m",
            Self::FiveMinutes => "5m",
            Self::FifteenMinutes => "15m",
            Self::ThirtyMinutes => "30m",
            Self::OneHour => "1h",
            Self::OneDay => "1d",
        }
    }

    /// Its length in seconds.
    pub fn seconds(self) -> i64 {
        match self {
            Self::OneMinute => 60,
            Self::FiveMinutes => 300,
            Self::FifteenMinutes => 900,
            Self::ThirtyMinutes => 1_800,
            Self::OneHour => 3_600,
            Self::OneDay => 86_400,
        }
    }
}

impl Trades {
    /// The candles of all six intervals.
    ///
    /// Fails when a sum has more digits than 38 before the point.
    pub fn candles(&self) -> Result<Candles> {
        let mut sorted: Vec<(&TradeKey, &Trade)> = self.iter().collect();
        sorted.sort_unstable_by_key(|(key, trade)| (trade.timestamp_us, key.order(), key.id.as_str()));
        let mut candles = Candles::new();
        for (key, trade) in sorted {
            let quote = trade.price.times(trade.quantity)?;
            for interval in Interval::ALL {
                let second = trade.timestamp_us.div_euclid(1_000_000);
                let key = CandleKey {
                    interval,
                    exchange: key.exchange.clone(),
                    market: key.market.clone(),
                    bucket: second - second.rem_euclid(interval.seconds()),
                };
                let candle = candles.entry(key).or_insert_with(|| Candle::opened_by(trade));
                candle.take(trade, quote)?;
            }
        }
        Ok(candles)
    }
}

impl Candle {
    fn opened_by(trade: &Trade) -> Self {
        let price = trade.price;
        let (volume, quote_volume) = (Sum::default(), Sum::default());
        Self { open: price, high: price, low: price, close: price, volume, quote_volume, trades: 0 }
    }

    /// Takes the next trade in order.
    fn take(&mut self, trade: &Trade, quote: Sum) -> Result<()> {
        self.high = self.high.max(trade.price);
        self.low = self.low.min(trade.price);
        self.close = trade.price;
        self.volume = self.volume.plus(trade.quantity.into())?;
        self.quote_volume = self.quote_volume.plus(quote)?;
        self.trades += 1;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn trades(rows: &[(&str, &str, &str, i64)]) -> Trades {
        let mut trades = Trades::default();
        for (id, price, quantity, timestamp_us) in rows {
            let key = TradeKey { exchange: "x".into(), market: "A/B".into(), id: (*id).into() };
            trades.add(key, Trade::parse(price, quantity, "BUY", *timestamp_us).unwrap()).unwrap();
        }
        trades
    }

    #[test]
    fn trades_of_one_instant_are_ordered_by_their_numbers() {
        // Ids 9 and 10 at the same microsecond: as text 10 would come first.
        let candles =
            trades(&[("10", "3", "1", 59_999_999), ("9", "2", "0.5", 59_999_999), ("8", "5", "1", 59_999_998)]);
        let candles = candles.candles().unwrap();
        let minute = candles.first_key_value().unwrap();
        assert_eq!(minute.0.interval, Interval::OneMinute);
        let expected = Candle {
            open: "5".parse().unwrap(),
            high: "5".parse().unwrap(),
            low: "2".parse().unwrap(),
            close: "3".parse().unwrap(),
            volume: "2.5".parse().unwrap(),
            quote_volume: "9".parse().unwrap(),
            trades: 3,
        };
        assert_eq!(*minute.1, expected);
    }

    #[test]
    fn a_bucket_begins_at_its_edge_and_ends_before_the_next() {
        let midnight_us = 1_723_161_600_000_000;
        let candles = trades(&[("1", "1", "1", midnight_us - 1), ("2", "2", "1", midnight_us)]).candles().unwrap();
        assert_eq!(candles.len(), 12, "two candles of each interval");
        for key in candles.keys() {
            assert_eq!(key.bucket % key.interval.seconds(), 0);
        }
        let days: Vec<i64> =
            candles.keys().filter(|key| key.interval == Interval::OneDay).map(|key| key.bucket).collect();
        assert_eq!(days, [1_723_075_200, 1_723_161_600]);
    }
}
