//! Copies of one trade on either side of a minute's edge count once, whichever comes first and however often.

use std::collections::BTreeMap;

use anyhow::{Result, ensure};
use serde_json::json;

use super::{Database, record};

/// 2024-08-09 00:00 UTC: another day, and the edge of a minute.
const MIDNIGHT: i64 = 1_723_161_600_000_000;
/// 2024-10-01 00:00 UTC: another partition, too.
const QUARTER: i64 = 1_727_740_800_000_000;
/// The edge of a minute like any other.
const EDGE: i64 = MIDNIGHT + 600 * 60_000_000;

/// Copies of a trade: source, and µs from the edge.
const SETS: [&[(&str, i64)]; 9] = [
    &[("live", -1), ("backfill", 0)],
    &[("live", 0), ("backfill", -1)],
    &[("live", -1), ("live", 0)],
    &[("backfill", -1), ("backfill", 0)],
    &[("live", 0), ("backfill", -1), ("live", -1)],
    &[("live", 0), ("live", -1), ("backfill", 0), ("backfill", -1)],
    &[("snapshot", -1), ("live", 500_000)],
    &[("snapshot", 0), ("backfill", -1), ("live", 999_999)],
    &[("live", 7), ("backfill", 6), ("backfill", 8)],
];

fn rank(source: &str) -> u8 {
    match source {
        "live" => 3,
        "snapshot" => 2,
        _ => 1,
    }
}

/// All orders in which copies can arrive.
fn orders<T: Clone>(copies: &[T]) -> Vec<Vec<T>> {
    if copies.len() < 2 {
        return vec![copies.to_vec()];
    }
    (0..copies.len())
        .flat_map(|first| {
            let mut rest = copies.to_vec();
            let chosen = rest.remove(first);
            orders(&rest).into_iter().map(move |mut order| {
                order.insert(0, chosen.clone());
                order
            })
        })
        .collect()
}

#[test]
fn twins_count_once_in_every_order_of_arrival() -> Result<()> {
    let database = Database::applied("twins")?;
    let mut rounds: Vec<Vec<String>> = Vec::new();
    let mut expected = BTreeMap::new();
    for edge in [MIDNIGHT, QUARTER, EDGE] {
        for (copies, order) in
            SETS.iter().flat_map(|copies| orders(copies).into_iter().map(move |order| (copies, order)))
        {
            let id = 1_000 + u64::try_from(expected.len())?;
            for (round, (source, offset)) in order.iter().enumerate() {
                if rounds.len() <= round {
                    rounds.push(Vec::new());
                }
                rounds[round].push(record(json!({
                    "trade_id": id.to_string(), "order": id, "source": source, "timestamp_us": edge + offset, "price": id.to_string()
                })));
            }
            let (source, offset) = copies.iter().max_by_key(|(source, offset)| (rank(source), -offset)).unwrap();
            expected.insert(id, (rank(source), edge + offset));
        }
    }
    let check = |what: &str| -> Result<()> {
        database.settle()?;
        let answer = database
            .query("SELECT trade_id, CAST(source, 'UInt8'), toUnixTimestamp64Micro(timestamp) FROM {db}.silver_trades FINAL ORDER BY order")?;
        let truth: Vec<String> = expected.iter().map(|(id, (rank, at))| format!("{id}\t{rank}\t{at}")).collect();
        ensure!(answer.lines().eq(truth.iter()), "{what}: silver has\n{answer}");
        database.gold_equals_silver()?;
        let now = database.query(
            "SELECT bucket, open, high, low, close, volume, quote_volume, trades FROM {db}.ohlcv_now(exchange = 'north', \
             market = 'BTC/USDT', from = '2024-08-01 00:00:00', to = '2024-11-01 00:00:00', step = 60) ORDER BY bucket",
        )?;
        let gold = database.query(
            "SELECT bucket, open, high, low, close, volume, quote_volume, trades FROM {db}.ohlcv_1m ORDER BY bucket",
        )?;
        ensure!(now == gold, "{what}: at this instant\n{now}in gold\n{gold}");
        Ok(())
    };

    // A burial between two rounds, and none: both happen.
    for (number, round) in rounds.iter().enumerate() {
        database.insert(round)?;
        if number == 0 {
            std::thread::sleep(std::time::Duration::from_secs(6));
        }
    }
    check("in every order")?;
    for round in rounds.iter().rev() {
        database.insert(round)?;
    }
    check("delivered again")?;
    database.query("OPTIMIZE TABLE {db}.silver_trades FINAL")?;
    database.query("OPTIMIZE TABLE {db}.minute_marks FINAL")?;
    for round in &rounds {
        database.insert(round)?;
    }
    check("merged, and delivered again")
}

#[test]
fn a_minute_whose_only_trade_is_buried_has_no_candle() -> Result<()> {
    let database = Database::applied("buried")?;
    let copy = |source: &str, timestamp: i64| record(json!({ "source": source, "timestamp_us": timestamp }));
    database.insert(&[copy("backfill", EDGE)])?;
    database.settle()?;
    let minutes = |database: &Database| database.query("SELECT bucket FROM {db}.ohlcv_1m");
    ensure!(minutes(&database)? == "2024-08-09 10:00:00\n", "{}", minutes(&database)?);
    database.insert(&[copy("live", EDGE - 1)])?;
    database.settle()?;
    ensure!(minutes(&database)? == "2024-08-09 09:59:00\n", "{}", minutes(&database)?);
    let hours = database.query("SELECT bucket FROM {db}.ohlcv_1h")?;
    ensure!(hours == "2024-08-09 09:00:00\n", "{hours}");
    database.gold_equals_silver()
}

/// Before any burial the present is exact already.
#[test]
fn candles_of_this_instant_count_fresh_twins_once() -> Result<()> {
    let database = Database::applied("instant")?;
    database.query("SYSTEM STOP VIEW {db}.bury_twins")?;
    let copy = |id: u64, source: &str, at: i64| {
        record(json!({ "trade_id": id.to_string(), "order": id, "source": source, "timestamp_us": at }))
    };
    database.insert(&[
        copy(1, "live", EDGE - 1),
        copy(1, "backfill", EDGE),
        copy(2, "backfill", EDGE - 1),
        copy(2, "live", EDGE + 5),
    ])?;
    let trades = |from: &str, to: &str| {
        database.query(&format!(
            "SELECT formatDateTime(bucket, '%H:%i'), trades FROM {{db}}.ohlcv_now(exchange = 'north', market = 'BTC/USDT', \
             from = '2024-08-09 {from}', to = '2024-08-09 {to}', step = 60) ORDER BY bucket"
        ))
    };
    ensure!(trades("09:00:00", "11:00:00")? == "09:59\t1\n10:00\t1\n", "{}", trades("09:00:00", "11:00:00")?);
    ensure!(trades("10:00:00", "10:01:00")? == "10:00\t1\n", "the winner before the range is not seen");
    ensure!(trades("09:59:00", "10:00:00")? == "09:59\t1\n", "the winner after the range is not seen");
    Ok(())
}
