//! A hundred million trades, written straight into silver: marks and candles follow by themselves, as they do behind Kafka.

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use tapedeck_tests::pipeline::Pipeline;
use xtask::stack::Client;

use super::records::{EXCHANGE, FIRST_ID, QUOTE};
use super::stage::Stage;
use super::{DAYS, HISTORY, MARKETS, exact, queries};
use crate::markets::names;
use crate::meter::pass;
use crate::rounds::{Measurement, Series};
use crate::sample::Sample;
use crate::unit::Unit;

/// Trades that one statement writes.
const PORTION: u64 = 2_000_000;

/// Trades of a block, each of which becomes a part of the table.
const BLOCK: u64 = 1_000_000;

/// The first of their days.
pub(super) const FIRST_DAY: &str = "2026-01-01";

/// From one look at what has followed to the next.
const LOOK: Duration = Duration::from_millis(250);

/// How long each of them may take.
const PATIENCE: Duration = Duration::from_secs(120);

/// Name of the series of what it takes to keep them.
pub(super) const KEPT: &str = "kept";

/// Figure: bytes on disk a trade, of silver.
pub(super) const SILVER: &str = "silver";
/// Figure: the same of candles.
pub(super) const GOLD: &str = "candles";
/// Figure: the same of marks, of what was touched, and of what completeness counts.
pub(super) const REST: &str = "marks and counts";

/// Writes them and asks for candles: what they take on disk, and how long answers take.
pub(super) fn measure(stage: &Stage<'_>) -> Result<(Measurement, Measurement)> {
    let millions = HISTORY / 1_000_000;
    println!("\n{millions} million trades");
    let pipeline = exact::pipeline(stage)?;
    let began = Instant::now();
    fill(&pipeline)?;
    settle(&pipeline)?;
    println!("  in candles of a day, counted and merged after {} s", began.elapsed().as_secs());
    let kept = Measurement {
        title: format!("{millions} million trades: bytes a trade"),
        series: vec![Series { contender: KEPT.to_owned(), samples: vec![kept(&pipeline)?] }],
        left_out: Vec::new(),
    };
    Ok((kept, queries::measure(stage, &pipeline)?))
}

/// Views that look every half minute for what was left undone among all that was touched in the last hours: here that would be
/// every trade, again and again.
const SEARCHES: [&str; 2] = ["touch_unfinished", "touch_uncounted"];

/// Writes portion after portion, each once the one before is in candles.
fn fill(pipeline: &Pipeline) -> Result<()> {
    let Pipeline { client, database, .. } = pipeline;
    for view in SEARCHES {
        client.query(&format!("SYSTEM STOP VIEW {database}.{view}"))?;
    }
    for portion in 0..HISTORY / PORTION {
        client.query(&insert(database, portion * PORTION))?;
        let written = (portion + 1) * PORTION;
        wait_for(client, &format!("SELECT sum(trades) FROM {database}.ohlcv_1m"), written)?;
        if written.is_multiple_of(HISTORY / 5) {
            println!("  {} of them written, and in candles of a minute", Unit::Count.show(written as f64));
        }
    }
    Ok(())
}

/// Waits until every trade is in the candles of days and counted, and no table is being merged. Then nothing was touched
/// lately, as if the trades had come over all of their days.
fn settle(pipeline: &Pipeline) -> Result<()> {
    let Pipeline { client, database, .. } = pipeline;
    wait_for(client, &format!("SELECT sum(trades) FROM {database}.ohlcv_1d"), HISTORY)?;
    wait_for(client, &format!("SELECT sum(trades) FROM {database}.completeness"), HISTORY)?;
    client.query(&format!("TRUNCATE TABLE {database}.touched_minutes"))?;
    for view in SEARCHES {
        client.query(&format!("SYSTEM START VIEW {database}.{view}"))?;
    }
    wait_for(client, &format!("SELECT count() FROM system.merges WHERE database = '{database}'"), 0)
}

fn wait_for(client: &Client, question: &str, wanted: u64) -> Result<()> {
    let began = Instant::now();
    while client.count(question)? != wanted {
        ensure!(began.elapsed() < PATIENCE, "after {} s not {wanted}: {question}", PATIENCE.as_secs());
        pass(LOOK)?;
    }
    Ok(())
}

/// Bytes on disk for each trade.
fn kept(pipeline: &Pipeline) -> Result<Sample> {
    let of = |tables: &str| {
        let sql = format!(
            "SELECT sum(bytes_on_disk) FROM system.parts WHERE active AND database = '{}' AND {tables}",
            pipeline.database
        );
        pipeline.client.count(&sql).map(|bytes| bytes as f64 / HISTORY as f64)
    };
    Ok(Sample::new()
        .with(SILVER, of("table = 'silver_trades'")?, Unit::Bytes)
        .with(GOLD, of("table LIKE 'gold%'")?, Unit::Bytes)
        .with(REST, of("table != 'silver_trades' AND table NOT LIKE 'gold%'")?, Unit::Bytes))
}

/// Writes the next portion as the view on bronze would bring it: evenly over all markets and days, at a price that wanders by
/// cents around a slow wave.
fn insert(database: &str, from: u64) -> String {
    let step = DAYS * 86_400_000_000 / HISTORY;
    let markets = format!("'{}'", names(MARKETS, QUOTE).join("', '"));
    format!(
        "INSERT INTO {database}.silver_trades (exchange, symbol, canonical_symbol, market_kind, trade_id, order, count, price, \
         quantity, side, timestamp, minute, source, received_at, vendor, version, is_deleted) \
         WITH cityHash64(number) AS random, [{markets}][number % {MARKETS} + 1] AS market, \
         {FIRST_ID} + intDiv(number, {MARKETS}) AS id, \
         intDiv(toUnixTimestamp('{FIRST_DAY} 00:00:00', 'UTC') * 1000000 + number * {step} + random % {step}, 1000) * 1000 AS at_us, \
         100000 + toInt64(20000 * sin(number / 3000000)) + random % 50 AS cents, \
         1 + bitShiftRight(random, 8) % 64 * (bitShiftRight(random, 16) % 3000) AS parts \
         SELECT '{EXCHANGE}', replaceOne(market, '/', ''), market, 'spot', toString(id), id, 1, toDecimal128(cents, 12) / 100, \
         toDecimal128(parts, 12) / 10000, if(bitTest(random, 40), 'BUY', 'SELL'), \
         fromUnixTimestamp64Micro(at_us, 'UTC') AS at, toStartOfMinute(toDateTime(at, 'UTC')), 'live', \
         at + toIntervalMicrosecond(800 + bitShiftRight(random, 30) % 5000), '{{}}', \
         bitShiftLeft(toUInt32(3), 27) + 67108864 - toUInt32(at_us % 60000000), 0 \
         FROM numbers({from}, {PORTION}) SETTINGS max_threads = 1, max_insert_threads = 1, max_block_size = {BLOCK}, \
         min_insert_block_size_rows = {BLOCK}"
    )
}
