//! What the demo shows while it runs: the newest candle of each market, the rate, and how old the newest trade is.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::io::{IsTerminal, Write};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result};

use super::exchange::Exchange;
use super::pipeline::Host;
use crate::interrupt;
use crate::stack::Client;

/// How often the table is drawn anew in a terminal, and how often it is printed elsewhere.
const TERMINAL: Duration = Duration::from_secs(1);
const PLAIN: Duration = Duration::from_secs(5);

/// A market's newest candle, as text, and its counts.
#[derive(Debug)]
struct Row {
    exchange: String,
    market: String,
    time: String,
    open: String,
    high: String,
    low: String,
    close: String,
    volume: String,
    candle_trades: String,
    trades: u64,
    newest_us: i64,
}

/// Shows candles until the time is over or somebody asks to end. Fails when a part of the pipeline ends by itself.
pub(crate) fn show(
    client: &Client,
    database: &str,
    duration: Option<Duration>,
    host: &Host,
    exchanges: &[Exchange],
) -> Result<()> {
    let terminal = std::io::stdout().is_terminal();
    let started = Instant::now();
    let mut before: HashMap<(String, String), u64> = HashMap::new();
    let mut last = started;
    let mut drawn = 0;
    let mut seen = false;
    while !interrupt::asked() && duration.is_none_or(|duration| started.elapsed() < duration) {
        let pause = if terminal || !seen { TERMINAL } else { PLAIN };
        let left = duration.map_or(pause, |duration| duration.saturating_sub(started.elapsed()));
        interrupt::sleep(pause.min(left));
        host.check()?;
        exchanges.iter().try_for_each(Exchange::check)?;

        let rows = rows(client, database)?;
        if rows.is_empty() {
            continue;
        }
        let elapsed = last.elapsed();
        last = Instant::now();
        if !seen {
            seen = true;
            println!("first candle {} s after the host was ready", started.elapsed().as_secs());
        }
        let text = table(&rows, &before, elapsed);
        before = rows.iter().map(|row| ((row.exchange.clone(), row.market.clone()), row.trades)).collect();
        let mut out = std::io::stdout().lock();
        if terminal {
            // Up to the first line of the last table, and clear from there. Without wrapping, lest a narrow terminal need more
            // lines than are counted.
            let up = if drawn > 0 { format!("\x1b[{drawn}A\x1b[J") } else { String::new() };
            write!(out, "{up}\x1b[?7l{text}\x1b[?7h")?;
        } else {
            write!(out, "{text}")?;
        }
        out.flush()?;
        drawn = text.lines().count();
    }
    Ok(())
}

fn rows(client: &Client, database: &str) -> Result<Vec<Row>> {
    let sql = format!(
        "SELECT exchange, canonical_symbol, formatDateTime(bucket, '%H:%i'), toString(open), toString(high), toString(low), \
         toString(close), toString(volume), trades, total, newest FROM \
         (SELECT * FROM {database}.ohlcv_1m ORDER BY bucket DESC LIMIT 1 BY exchange, canonical_symbol) AS candle \
         INNER JOIN (SELECT exchange, canonical_symbol, count() AS total, max(toUnixTimestamp64Micro(timestamp)) AS newest \
         FROM {database}.silver_trades GROUP BY exchange, canonical_symbol) AS silver USING (exchange, canonical_symbol) \
         ORDER BY exchange, canonical_symbol FORMAT TabSeparated"
    );
    let answer = client.query(&sql)?;
    let rows = answer.lines().map(|line| {
        let mut fields = line.split('\t').map(str::to_owned);
        let mut next = || fields.next().with_context(|| format!("ClickHouse gave a row that is no candle: {line}"));
        Ok(Row {
            exchange: next()?,
            market: next()?,
            time: next()?,
            open: next()?,
            high: next()?,
            low: next()?,
            close: next()?,
            volume: next()?,
            candle_trades: next()?,
            trades: next()?.parse()?,
            newest_us: next()?.parse()?,
        })
    });
    rows.collect()
}

const HEAD: [&str; 11] =
    ["exchange", "market", "minute", "open", "high", "low", "close", "volume", "trades", "trades/s", "lag"];
/// Columns of text, left-aligned; numbers follow.
const TEXT_COLUMNS: usize = 2;

/// The rows as lines, each column as wide as it needs to be. `before` holds the totals of `elapsed` ago.
fn table(rows: &[Row], before: &HashMap<(String, String), u64>, elapsed: Duration) -> String {
    let now_us = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_micros());
    let mut lines = vec![HEAD.map(str::to_owned)];
    lines.extend(rows.iter().map(|row| {
        let key = (row.exchange.clone(), row.market.clone());
        let new = row.trades.saturating_sub(before.get(&key).copied().unwrap_or(row.trades));
        let rate = u128::from(new) * 1_000 / elapsed.as_millis().max(1);
        let lag_ms = now_us.saturating_sub(u128::try_from(row.newest_us).unwrap_or(0)) / 1_000;
        [
            row.exchange.clone(),
            row.market.clone(),
            row.time.clone(),
            row.open.clone(),
            row.high.clone(),
            row.low.clone(),
            row.close.clone(),
            row.volume.clone(),
            row.candle_trades.clone(),
            rate.to_string(),
            format!("{lag_ms} ms"),
        ]
    }));
    let widths: Vec<usize> =
        (0..HEAD.len()).map(|column| lines.iter().map(|line| line[column].len()).max().unwrap_or(0)).collect();
    let mut text = String::new();
    for line in &lines {
        for (column, (cell, width)) in line.iter().zip(&widths).enumerate() {
            // Writing into a String cannot fail.
            let _ = match column {
                0 => write!(text, "{cell:<width$}"),
                _ if column < TEXT_COLUMNS => write!(text, "  {cell:<width$}"),
                _ => write!(text, "  {cell:>width$}"),
            };
        }
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_line_up_and_rates_are_of_the_time_that_passed() {
        let row = |market: &str, trades| Row {
            exchange: "moonex".into(),
            market: market.into(),
            time: "12:30".into(),
            open: "1.5".into(),
            high: "20000.25".into(),
            low: "1".into(),
            close: "2".into(),
            volume: "7".into(),
            candle_trades: "3".into(),
            trades,
            newest_us: i64::MAX,
        };
        let before = HashMap::from([(("moonex".to_owned(), "A/B".to_owned()), 100)]);
        let text = table(&[row("A/B", 150), row("LONG/NAME", 40)], &before, Duration::from_millis(500));
        let expected = "\
exchange  market     minute  open      high  low  close  volume  trades  trades/s   lag
moonex    A/B         12:30   1.5  20000.25    1      2       7       3       100  0 ms
moonex    LONG/NAME   12:30   1.5  20000.25    1      2       7       3         0  0 ms
";
        assert_eq!(text, expected);
    }
}
