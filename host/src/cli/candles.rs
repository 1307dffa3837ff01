//! `tapedeck candles`.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use jiff::Timestamp;
use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;

use super::{ConfigArgs, Misconfigured, print};
use crate::candles::{CandleFormat, CandleQuery, CandleSource, Interval, candles};
use crate::config::{ClickHouseConfig, check_market_name};

/// Candles that are shown where no time is given.
const LATEST: u32 = 60;

/// The most candles that are fetched: two years of minutes.
const MOST: u32 = 1_051_200;

#[derive(Args, Debug)]
#[command(after_help = "Examples:
  tapedeck candles BTC/USDT --exchange NAME --interval 5m --from 2026-01-31 --to 2026-02-01
  tapedeck candles BTC/USD --exchange NAME --interval 1d --format csv > candles.csv")]
pub(super) struct CandlesArgs {
    /// Canonical name, BASE/QUOTE
    #[arg(value_name = "MARKET", value_parser = parse_market)]
    market: String,
    /// Exchange, as in the names of topics and tables
    #[arg(long)]
    exchange: String,
    /// Length of a candle: 1m, 5m, 15m, 30m, 1h or 1d
    #[arg(long, default_value = "1m")]
    interval: Interval,
    /// First time, candles that start at it or later
    #[arg(long, value_name = "TIME", value_parser = parse_time)]
    from: Option<Timestamp>,
    /// End, candles that start before it
    #[arg(long, value_name = "TIME", value_parser = parse_time)]
    to: Option<Timestamp>,
    /// The newest so many [default: 60, or all where --from is given]
    #[arg(long, value_name = "COUNT", value_parser = clap::value_parser!(u32).range(1..=i64::from(MOST)))]
    limit: Option<u32>,
    /// table, csv or json
    #[arg(long, default_value = "table")]
    format: CandleFormat,
    /// Configuration file for where ClickHouse is [default: ClickHouse on this machine, database tapedeck]
    #[arg(long, value_name = "FILE", env = "TAPEDECK_CONFIG")]
    config: Option<PathBuf>,
}

impl CandlesArgs {
    pub(super) async fn execute(self) -> anyhow::Result<ExitCode> {
        let source = self.source()?;
        let otherwise = if self.from.is_some() { MOST } else { LATEST };
        let query = CandleQuery {
            exchange: self.exchange,
            market: self.market,
            interval: self.interval,
            from: self.from,
            to: self.to,
            limit: self.limit.unwrap_or(otherwise),
        };
        let found = candles(&source, &query).await?;
        print(&self.format.render(&found)?)?;
        if found.is_empty() {
            eprintln!("tapedeck: no candles in this time");
        }
        Ok(ExitCode::SUCCESS)
    }

    fn source(&self) -> Result<CandleSource, Misconfigured> {
        let clickhouse = match &self.config {
            None => ClickHouseConfig::default(),
            Some(file) => {
                let config = ConfigArgs { config: file.clone() }.load()?;
                config.clickhouse.ok_or_else(|| {
                    Misconfigured(format!(
                        "{} has no section [clickhouse], which says where the candles are",
                        file.display()
                    ))
                })?
            }
        };
        Ok(CandleSource {
            url: clickhouse.url,
            database: clickhouse.database,
            user: clickhouse.user,
            password: clickhouse.password.expose().to_owned(),
        })
    }
}

fn parse_market(text: &str) -> Result<String, String> {
    check_market_name(text).map(|()| text.to_owned())
}

/// A time with its zone, or one of UTC.
pub(super) fn parse_time(text: &str) -> Result<Timestamp, String> {
    if let Ok(time) = text.parse::<Timestamp>() {
        return Ok(time);
    }
    let civil = text
        .parse::<DateTime>()
        .or_else(|_| text.parse::<Date>().map(|date| date.to_datetime(jiff::civil::Time::midnight())));
    civil
        .and_then(|civil| TimeZone::UTC.to_timestamp(civil))
        .map_err(|_| "write a UTC time such as 2026-01-31, 2026-01-31T09:30 or 2026-01-31T09:30:00Z".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_utc_unless_they_say_otherwise() {
        for (text, expected) in [
            ("2026-01-31", Ok("2026-01-31T00:00:00Z")),
            ("2026-01-31T09:30", Ok("2026-01-31T09:30:00Z")),
            ("2026-01-31 09:30:15", Ok("2026-01-31T09:30:15Z")),
            ("2026-01-31T09:30:00+01:00", Ok("2026-01-31T08:30:00Z")),
            ("yesterday", Err(())),
            ("2026-02-30", Err(())),
        ] {
            let got = parse_time(text).map(|time| time.to_string()).map_err(drop);
            assert_eq!(got, expected.map(str::to_owned), "{text}");
        }
    }
}
