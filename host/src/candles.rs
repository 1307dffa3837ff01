//! Candles out of ClickHouse, for people and programs: asked by market and interval, decimals exact as text.

use std::fmt;
use std::str::FromStr;

use clickhouse::{Client, Compression, Row};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

mod error;
mod nearest;
mod render;

pub use error::CandleError;
pub use render::CandleFormat;

/// Where the candles are.
#[derive(Clone)]
pub struct CandleSource {
    /// Address of ClickHouse's HTTP interface.
    pub url: String,
    /// Database made by `tapedeck sql apply`.
    pub database: String,
    /// User that reads.
    pub user: String,
    /// That user's password; empty for none.
    pub password: String,
}

impl fmt::Debug for CandleSource {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "CandleSource({} on {} as {})", self.database, self.url, self.user)
    }
}

/// How long a candle is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Interval {
    /// One minute.
    OneMinute,
    /// Five minutes.
    FiveMinutes,
    /// A quarter of an hour.
    FifteenMinutes,
    /// Half an hour.
    ThirtyMinutes,
    /// One hour.
    OneHour,
    /// One day, UTC.
    OneDay,
}

impl Interval {
    /// All of them, from short to long.
    pub const ALL: [Self; 6] =
        [Self::OneMinute, Self::FiveMinutes, Self::FifteenMinutes, Self::ThirtyMinutes, Self::OneHour, Self::OneDay];

    /// Its name: `1m`, `5m`, `15m`, `30m`, `1h` or `1d`.
    #[must_use]
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
}

impl fmt::Display for Interval {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

impl FromStr for Interval {
    type Err = CandleError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let found = Self::ALL.into_iter().find(|interval| interval.name() == text);
        found.ok_or_else(|| CandleError::UnknownInterval { interval: text.to_owned() })
    }
}

/// Which candles are wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CandleQuery {
    /// Exchange, as tables name it, such as `moonex`.
    pub exchange: String,
    /// Canonical symbol, such as `BTC/USDT`.
    pub market: String,
    /// Length of each candle.
    pub interval: Interval,
    /// First instant: candles that start at it or later.
    pub from: Option<Timestamp>,
    /// End: candles that start before it.
    pub to: Option<Timestamp>,
    /// The newest so many of them, in order of time.
    pub limit: u32,
}

/// One candle. Prices and volumes are decimal text, exact to the last digit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Candle {
    /// Its first instant.
    #[serde(serialize_with = "as_text")]
    pub bucket: Timestamp,
    /// Price of the first trade by (time, order).
    pub open: String,
    /// Highest price.
    pub high: String,
    /// Lowest price.
    pub low: String,
    /// Price of the last trade by (time, order).
    pub close: String,
    /// Sum of quantities, in base.
    pub volume: String,
    /// Sum of price times quantity, in quote.
    pub quote_volume: String,
    /// Number of distinct trades.
    pub trades: u64,
}

fn as_text<S: serde::Serializer>(instant: &Timestamp, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(instant)
}

#[derive(Row, Deserialize)]
struct CandleRow {
    start: u32,
    open_text: String,
    high_text: String,
    low_text: String,
    close_text: String,
    volume_text: String,
    quote_volume_text: String,
    trade_count: u64,
}

/// Fetches candles in order of time. Minutes without a trade have none.
///
/// # Errors
/// [`CandleError`]: the server cannot be reached or asked, or the market is not known there, with the nearest names.
pub async fn candles(source: &CandleSource, query: &CandleQuery) -> Result<Vec<Candle>, CandleError> {
    let client = Client::default()
        .with_url(&source.url)
        .with_database(&source.database)
        .with_user(&source.user)
        .with_password(&source.password)
        .with_compression(Compression::None)
        .with_product_info("tapedeck", env!("CARGO_PKG_VERSION"));
    // The view's name is one of six of our own; everything from outside is bound on the server.
    let sql = format!(
        "SELECT toUnixTimestamp(bucket) AS start, toString(open) AS open_text, toString(high) AS high_text, \
         toString(low) AS low_text, toString(close) AS close_text, toString(volume) AS volume_text, \
         toString(quote_volume) AS quote_volume_text, trades AS trade_count FROM ohlcv_{} \
         WHERE exchange = {{exchange:String}} AND canonical_symbol = {{market:String}} \
         AND bucket >= toDateTime({{from:UInt32}}, 'UTC') AND bucket < toDateTime({{to:UInt32}}, 'UTC') \
         ORDER BY bucket DESC LIMIT {{limit:UInt32}}",
        query.interval
    );
    let rows = client
        .query_raw(&sql)
        .param("exchange", &query.exchange)
        .param("market", &query.market)
        .param("from", first_second(query.from, 0))
        .param("to", first_second(query.to, u32::MAX))
        .param("limit", query.limit)
        .fetch_all::<CandleRow>()
        .await
        .map_err(|error| CandleError::of_client(source, error))?;
    if rows.is_empty() {
        nearest::refuse_unknown(&client, source, query).await?;
    }
    rows.into_iter().rev().map(candle).collect()
}

/// The first whole second at or after an instant, as far as ClickHouse's DateTime reaches.
fn first_second(instant: Option<Timestamp>, otherwise: u32) -> u32 {
    let Some(instant) = instant else { return otherwise };
    let up = i64::from(instant.subsec_nanosecond() > 0);
    let second = instant.as_second().saturating_add(up).clamp(0, i64::from(u32::MAX));
    u32::try_from(second).unwrap_or(u32::MAX)
}

fn candle(row: CandleRow) -> Result<Candle, CandleError> {
    let bucket = Timestamp::from_second(i64::from(row.start)).map_err(|_| CandleError::Time { second: row.start })?;
    Ok(Candle {
        bucket,
        open: row.open_text,
        high: row.high_text,
        low: row.low_text,
        close: row.close_text,
        volume: row.volume_text,
        quote_volume: row.quote_volume_text,
        trades: row.trade_count,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn intervals_have_names_that_read_back() {
        for interval in Interval::ALL {
            assert_eq!(interval.to_string().parse::<Interval>().unwrap(), interval);
        }
        let message = "2m".parse::<Interval>().unwrap_err().to_string();
        assert!(message.contains("2m") && message.contains("1m, 5m, 15m, 30m, 1h, 1d"), "{message}");
    }

    #[test]
    fn a_range_starts_at_the_first_candle_that_is_wholly_in_it() {
        let at = |text: &str| Some(text.parse::<Timestamp>().unwrap());
        assert_eq!(first_second(at("1970-01-01T00:01:00Z"), 0), 60);
        assert_eq!(first_second(at("1970-01-01T00:01:00.000000001Z"), 0), 61);
        assert_eq!(first_second(at("1960-01-01T00:00:00Z"), 7), 0);
        assert_eq!(first_second(at("2200-01-01T00:00:00Z"), 7), u32::MAX);
        assert_eq!(first_second(None, 7), 7);
    }
}
