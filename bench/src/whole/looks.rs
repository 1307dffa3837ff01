//! How long trades take into candles: the newest candles are looked at again and again, as a reader of them would, and
//! how many trades each one holds says which trades it has.
//!
//! A candle that holds so many trades holds the first so many of its minute, since those of a market come in order. A trade
//! became readable between the look that did not show it and the one that did; the latter counts. It was sent when its
//! own time says: a simulated exchange gives a trade the time at which it is due, and sends what is due every millisecond.

use std::collections::HashMap;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result, bail};
use tapedeck_tests::pipeline::Pipeline;

use crate::meter::pass;
use crate::sample::Sample;
use crate::unit::Unit;

/// Figure: from a trade's own time to a look at its candle that shows it.
pub(crate) const P50: &str = "p50";
/// The same.
pub(crate) const P99: &str = "p99";

/// From the beginning of one look to that of the next.
pub(crate) const EVERY: Duration = Duration::from_millis(100);

/// A candle: exchange and market, and its minute in seconds since 1970.
type Candle = (String, u64);

/// When the trades of each candle were sent, in order, µs since 1970.
pub(crate) type Times = HashMap<Candle, Vec<i64>>;

/// The newest candles at one moment.
#[derive(Debug)]
pub(crate) struct Look {
    /// When the answer was there, µs since 1970.
    at_us: i64,
    /// How many trades each holds.
    trades: Vec<(Candle, usize)>,
}

/// Looks at the newest candles for some time.
pub(crate) fn watch(pipeline: &Pipeline, time: Duration) -> Result<Vec<Look>> {
    let database = &pipeline.database;
    let sql = format!(
        "SELECT exchange || ' ' || canonical_symbol, toUnixTimestamp(bucket), trades FROM {database}.ohlcv_1m \
         WHERE bucket >= toStartOfMinute(now('UTC') - 10) FORMAT TabSeparated"
    );
    let began = Instant::now();
    let mut looks = Vec::new();
    while began.elapsed() < time {
        let answer = pipeline.client.query(&sql)?;
        let at_us = i64::try_from(SystemTime::now().duration_since(UNIX_EPOCH)?.as_micros())?;
        looks.push(Look { at_us, trades: answer.lines().map(candle).collect::<Result<_>>()? });
        let next = EVERY * u32::try_from(looks.len())?;
        pass(next.saturating_sub(began.elapsed()))?;
    }
    Ok(looks)
}

fn candle(line: &str) -> Result<(Candle, usize)> {
    let fields: Vec<&str> = line.split('\t').collect();
    let [market, minute, trades] = fields[..] else { bail!("ClickHouse gave a row that is no candle: {line}") };
    Ok(((market.to_owned(), minute.parse()?), trades.parse()?))
}

/// The times of all trades in silver.
pub(crate) fn times(pipeline: &Pipeline) -> Result<Times> {
    let sql = format!(
        "SELECT exchange || ' ' || canonical_symbol, toUnixTimestamp(minute), \
         arrayStringConcat(arraySort(groupArray(toUnixTimestamp64Micro(timestamp))), ' ') \
         FROM {}.silver_trades FINAL GROUP BY exchange, canonical_symbol, minute FORMAT TabSeparated",
        pipeline.database
    );
    let mut times = Times::new();
    pipeline.client.lines(&sql, |line| {
        let fields: Vec<&str> = line.split('\t').collect();
        let [market, minute, list] = fields[..] else { bail!("ClickHouse gave a row that is no minute: {line}") };
        let list = list.split(' ').map(str::parse).collect::<Result<Vec<i64>, _>>().context("a bad time of a trade")?;
        times.insert((market.to_owned(), minute.parse()?), list);
        Ok(())
    })?;
    Ok(times)
}

/// Seconds from sending to showing, of every trade that one of these looks showed first. What the first one shows was there
/// before, nobody knows for how long.
pub(crate) fn latencies(looks: &[Look], times: &Times) -> Vec<f64> {
    let mut latencies = Vec::new();
    let mut shown: HashMap<&Candle, usize> = HashMap::new();
    for (number, look) in looks.iter().enumerate() {
        for (candle, trades) in &look.trades {
            let before = shown.insert(candle, *trades).unwrap_or(0);
            if number == 0 {
                continue;
            }
            let sent = times.get(candle).map_or(&[][..], Vec::as_slice);
            let new = sent.get(before..(*trades).min(sent.len())).unwrap_or(&[]);
            latencies.extend(new.iter().map(|sent_us| (look.at_us - sent_us) as f64 / 1e6));
        }
    }
    latencies
}

/// The median and the hundredth slowest of those.
pub(crate) fn sample(looks: &[Look], times: &Times) -> Result<Sample> {
    let mut latencies = latencies(looks, times);
    latencies.sort_unstable_by(f64::total_cmp);
    let last = latencies.len().checked_sub(1).context("no trade came into a candle while candles were looked at")?;
    let at = |part: f64| latencies[(last as f64 * part).round() as usize];
    Ok(Sample::new().with(P50, at(0.5), Unit::Seconds).with(P99, at(0.99), Unit::Seconds))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trade_counts_when_a_look_shows_it_first() {
        let (old, new) = (("x A/B".to_owned(), 0), ("x A/B".to_owned(), 60));
        let times = Times::from([
            (old.clone(), vec![1_000_000, 2_000_000, 3_000_000]),
            (new.clone(), vec![60_000_000, 61_000_000]),
        ]);
        let look = |at_us, trades: &[(&Candle, usize)]| Look {
            at_us,
            trades: trades.iter().map(|(candle, trades)| ((*candle).clone(), *trades)).collect(),
        };
        let looks = [
            look(4_000_000, &[(&old, 1)]),
            look(4_500_000, &[(&old, 3)]),
            look(62_000_000, &[(&old, 3), (&new, 1)]),
            look(62_250_000, &[(&new, 2)]),
        ];
        assert_eq!(latencies(&looks, &times), [2.5, 1.5, 2.0, 1.25]);
    }

    #[test]
    fn a_line_is_a_candle_or_refused() {
        assert_eq!(candle("x A/B\t60\t7").unwrap(), (("x A/B".to_owned(), 60), 7));
        assert!(candle("x A/B\t60").is_err() && candle("x A/B\t60\tmany").is_err());
    }
}
