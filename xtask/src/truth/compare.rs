//! Compares ClickHouse's silver and gold with the truth, trade by trade and field by field.

use std::collections::{BTreeMap, HashSet};
use std::fmt;

use anyhow::{Context, Result, bail};

use super::candles::{Candle, CandleKey, Candles, Interval};
use super::trades::{Trade, TradeKey, Trades};
use crate::stack::Client;

/// How many differences are kept as examples.
const EXAMPLES: usize = 20;

/// What the comparison found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Report {
    /// Candles compared: those of the truth and those of gold, each once.
    pub candles: u64,
    /// Candles that are missing, unexpected or differ in any field.
    pub candles_different: u64,
    /// Trades in silver.
    pub silver: u64,
    /// Trades of the truth that silver has not.
    pub missing: u64,
    /// Trades of silver that the truth has not, or that silver has twice.
    pub unexpected: u64,
    /// Trades in both with another price, quantity, side or timestamp.
    pub different: u64,
    /// The first differences, a line each.
    pub examples: Vec<String>,
}

impl Report {
    /// Whether nothing differs.
    pub fn is_clean(&self) -> bool {
        self.candles_different == 0 && self.missing == 0 && self.unexpected == 0 && self.different == 0
    }

    fn example(&mut self, text: impl FnOnce() -> String) {
        if self.examples.len() < EXAMPLES {
            self.examples.push(text());
        }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { candles, candles_different, silver, missing, unexpected, different, .. } = self;
        write!(
            formatter,
            "compared {candles} candles, {candles_different} different, silver: {silver} trades, {missing} missing, \
             {unexpected} unexpected, {different} different"
        )
    }
}

/// Compares everything in the database's `silver_trades` and its six `ohlcv_…` with the truth.
///
/// Fails when ClickHouse does not answer or answers what is no trade or candle; differences are no failure.
pub fn compare(client: &Client, database: &str, truth: &Trades) -> Result<Report> {
    let mut report = Report::default();
    compare_silver(client, database, truth, &mut report)?;
    compare_gold(client, database, &truth.candles()?, &mut report)?;
    Ok(report)
}

fn compare_silver(client: &Client, database: &str, truth: &Trades, report: &mut Report) -> Result<()> {
    let sql = format!(
        "SELECT exchange, canonical_symbol, trade_id, toString(price), toString(quantity), toString(side), \
         toUnixTimestamp64Micro(timestamp) FROM {database}.silver_trades FINAL FORMAT TabSeparated"
    );
    let mut seen = HashSet::new();
    client.lines(&sql, |line| {
        let fields: Vec<&str> = line.split('\t').collect();
        let [exchange, market, id, price, quantity, side, timestamp_us] = fields[..] else {
            bail!("silver gave a row that is no trade: {line}");
        };
        let key = TradeKey { exchange: exchange.into(), market: market.into(), id: id.into() };
        let timestamp_us = timestamp_us.parse().with_context(|| format!("silver gave a bad timestamp: {line}"))?;
        let trade = Trade::parse(price, quantity, side, timestamp_us).with_context(|| format!("silver gave {line}"))?;
        report.silver += 1;
        match truth.get(&key) {
            None => {
                report.unexpected += 1;
                report.example(|| format!("unexpected in silver: {line}"));
            }
            Some(_) if !seen.insert(key.clone()) => {
                report.unexpected += 1;
                report.example(|| format!("twice in silver: {line}"));
            }
            Some(expected) if *expected != trade => {
                report.different += 1;
                report.example(|| format!("different in silver: {line}; the truth: {expected}"));
            }
            Some(_) => {}
        }
        Ok(())
    })?;
    for (key, trade) in truth.iter().filter(|(key, _)| !seen.contains(*key)) {
        report.missing += 1;
        report.example(|| format!("missing in silver: {key}, {trade}"));
    }
    Ok(())
}

fn compare_gold(client: &Client, database: &str, truth: &Candles, report: &mut Report) -> Result<()> {
    let mut gold: BTreeMap<CandleKey, Candle> = BTreeMap::new();
    for interval in Interval::ALL {
        let name = interval.name();
        let sql = format!(
            "SELECT exchange, canonical_symbol, toUnixTimestamp(bucket), toString(open), toString(high), toString(low), \
             toString(close), toString(volume), toString(quote_volume), trades FROM {database}.ohlcv_{name} \
             FORMAT TabSeparated"
        );
        client.lines(&sql, |line| {
            let (key, candle) = parse(interval, line).with_context(|| format!("ohlcv_{name} gave {line}"))?;
            if gold.insert(key, candle).is_some() {
                report.candles += 1;
                report.candles_different += 1;
                report.example(|| format!("twice in ohlcv_{name}: {line}"));
            }
            Ok(())
        })?;
    }
    for (key, expected) in truth {
        report.candles += 1;
        let found = gold.remove(key);
        if found.as_ref() != Some(expected) {
            report.candles_different += 1;
            report.example(|| match found {
                Some(found) => format!("candle {key} is {found}; the truth: {expected}"),
                None => format!("candle {key} is missing; the truth: {expected}"),
            });
        }
    }
    for (key, candle) in gold {
        report.candles += 1;
        report.candles_different += 1;
        report.example(|| format!("candle {key} is unexpected: {candle}"));
    }
    Ok(())
}

fn parse(interval: Interval, line: &str) -> Result<(CandleKey, Candle)> {
    let fields: Vec<&str> = line.split('\t').collect();
    let [exchange, market, bucket, open, high, low, close, volume, quote_volume, trades] = fields[..] else {
        bail!("a row of {} fields, not of 10", fields.len());
    };
    let key = CandleKey { interval, exchange: exchange.into(), market: market.into(), bucket: bucket.parse()? };
    let candle = Candle {
        open: open.parse()?,
        high: high.parse()?,
        low: low.parse()?,
        close: close.parse()?,
        volume: volume.parse()?,
        quote_volume: quote_volume.parse()?,
        trades: trades.parse()?,
    };
    Ok((key, candle))
}
