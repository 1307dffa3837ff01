//! Much at once: years in one block, tens of thousands of minutes to recompute, refreshes that were stopped.

use anyhow::{Result, ensure};
use serde_json::json;

use super::{Database, record};

/// One insert of trades from 5,000 days, which is 14 years, sparse as an old market.
#[test]
fn one_block_may_span_years() -> Result<()> {
    let database = Database::applied("years")?;
    let first = 1_300_000_000_000_000_i64;
    let records: Vec<String> = (0..5_000_i64)
        .map(|day| {
            record(json!({ "trade_id": day.to_string(), "order": day, "timestamp_us": first + day * 86_400_000_000, "price": (100 + day).to_string() }))
        })
        .collect();
    database.insert(&records)?;
    ensure!(database.count("SELECT count() FROM {db}.silver_trades FINAL")? == 5_000);
    database.settle()?;
    ensure!(database.count("SELECT count() FROM {db}.ohlcv_1d")? == 5_000);
    database.gold_equals_silver()
}

/// Seed 41: 21,000 minutes, more than are recomputed at a time, in blocks that overlap and repeat.
#[test]
fn a_backlog_is_worked_off_in_portions() -> Result<()> {
    let database = Database::applied("backlog")?;
    let mut random = fastrand::Rng::with_seed(41);
    let start = 1_700_000_040_000_000_i64;
    let records: Vec<String> = (0..42_000_i64)
        .map(|id| {
            let timestamp = start + (id / 2) * 60_000_000 + random.i64(0..60_000_000);
            let symbol = ["BTC/USDT", "ETH/USDT"][random.usize(0..2)];
            record(json!({
                "trade_id": id.to_string(), "order": id, "timestamp_us": timestamp, "canonical_symbol": symbol,
                "price": format!("{}.{:02}", random.u32(1..90_000), random.u32(0..100)), "quantity": format!("0.{:08}", random.u32(1..99_999_999))
            }))
        })
        .collect();
    // Refreshes that cannot run leave all of it undone, and catch up when they can.
    for view in ["extend_minutes", "find_pending"] {
        database.query(&format!("SYSTEM STOP VIEW {{db}}.{view}"))?;
    }
    for block in records.chunks(7_000) {
        database.insert(block)?;
        database.insert(&block[..block.len() / 20])?;
    }
    std::thread::sleep(std::time::Duration::from_secs(3));
    ensure!(database.count("SELECT count() FROM {db}.gold_1m")? == 0, "a stopped refresh ran");
    database.query("SYSTEM START VIEW {db}.find_pending")?;
    database.settle()?;
    ensure!(database.count("SELECT sum(trades) FROM {db}.ohlcv_1m")? == 42_000);
    database.gold_equals_silver()
}

/// What lies out of the touched minutes, as after a long stop or a lost table, is found by comparing all.
#[test]
fn what_was_forgotten_is_swept_up() -> Result<()> {
    let database = Database::applied("forgotten")?;
    // They run once when they are made, which on a busy machine may still be to come; and a minute that is counted is touched.
    for view in [
        "extend_minutes",
        "find_pending",
        "touch_unfinished",
        "sweep",
        "find_uncounted",
        "touch_uncounted",
        "sweep_uncounted",
    ] {
        database.query(&format!("SYSTEM STOP VIEW {{db}}.{view}"))?;
    }
    database.insert(&[record(json!({}))])?;
    database.query("TRUNCATE TABLE {db}.touched_minutes")?;
    database.query("SYSTEM START VIEW {db}.find_pending")?;
    std::thread::sleep(std::time::Duration::from_secs(3));
    ensure!(database.count("SELECT count() FROM {db}.gold_1m")? == 0, "nothing should know of the minute");
    database.query("SYSTEM START VIEW {db}.sweep")?;
    database.query("SYSTEM REFRESH VIEW {db}.sweep")?;
    database.settle()?;
    database.gold_equals_silver()
}
