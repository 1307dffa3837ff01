//! However Kafka delivers, twice, late, in disorder or with second copies that differ, candles stay exact.

use std::time::Duration;

use anyhow::{Result, ensure};
use fastrand::Rng;
use tapedeck_tests::audit::received;
use tapedeck_tests::kafka::Record;
use tapedeck_tests::pipeline::Pipeline;
use tapedeck_tests::tape::{self, Tape};
use tapedeck_tests::{programs, servers};

/// The time after which every refresh has run again, were there anything left that could change.
const REFRESHED: Duration = Duration::from_secs(5);

/// A pipeline whose records do not come from a host; its feed only names the exchange.
fn pipeline(name: &str) -> Result<Pipeline> {
    let pipeline = Pipeline::new(name, servers::shared()?)?.with_plugins(programs::plugins()?).with_feed_named(
        "acme",
        "binance",
        &["BTC/USDT", "ETH/USDT"],
    );
    pipeline.trades("acme").create()?;
    pipeline.apply_sql()?;
    Ok(pipeline)
}

/// Seed 11.
#[test]
fn every_record_is_delivered_twice() -> Result<()> {
    let Tape { records, truth } = tape::around_midnight(11)?;
    let pipeline = pipeline("twice")?;
    let topic = pipeline.trades("acme");
    // Half of the second deliveries come at once, half when all is done.
    let (at_once, later) = records.split_at(records.len() / 2);
    topic.produce(at_once.iter().flat_map(|record| [record, record]))?;
    topic.produce(later)?;
    pipeline.audit(&["acme"], &truth)?;
    topic.produce(later)?;
    println!("{}", pipeline.audit(&["acme"], &truth)?);
    let bronze = pipeline.client.count(&format!("SELECT count() FROM {}.bronze_trades_acme", pipeline.database))?;
    ensure!(bronze >= 2 * truth.len() as u64, "bronze keeps what was delivered, not {bronze} rows");
    Ok(())
}

/// Seed 13: half of the trades, and hours of them, come when the candles of the other half are long done.
#[test]
fn trades_come_hours_late_and_in_disorder() -> Result<()> {
    let Tape { mut records, truth } = tape::around_midnight(13)?;
    let pipeline = pipeline("late")?;
    let topic = pipeline.trades("acme");
    Rng::with_seed(13).shuffle(&mut records);
    let (first, late) = records.split_at(records.len() / 2);
    topic.produce(first)?;
    pipeline.audit(&["acme"], &received(first, &truth)?)?;
    topic.produce(late)?;
    println!("{}", pipeline.audit(&["acme"], &truth)?);
    Ok(())
}

/// Seed 17: of every trade there is a second copy a microsecond before or after, over the edges of minutes and midnight, some
/// before the trade itself, some after, some long after.
#[test]
fn second_copies_are_a_microsecond_off() -> Result<()> {
    let Tape { records, truth } = tape::around_midnight(17)?;
    let mut rng = Rng::with_seed(17);
    let copies: Vec<Record> =
        records.iter().map(|record| tape::second_copy(record, off_by_one(record, &mut rng))).collect::<Result<_>>()?;
    let crossing = records.iter().zip(&copies).filter(|(record, copy)| minute(record) != minute(copy)).count();
    ensure!(crossing > 400, "only {crossing} copies lie over the edge of a minute");

    let pipeline = pipeline("copies")?;
    let topic = pipeline.trades("acme");
    let mut mixed: Vec<&Record> = records.iter().collect();
    let (now, later): (Vec<&Record>, Vec<&Record>) = copies.iter().partition(|_| rng.bool());
    mixed.extend(now);
    rng.shuffle(&mut mixed);
    topic.produce(mixed)?;
    pipeline.audit(&["acme"], &truth)?;
    topic.produce(later)?;
    pipeline.audit(&["acme"], &truth)?;
    // And the burials hold: nothing that was right turns wrong by itself.
    std::thread::sleep(REFRESHED);
    println!("{}", pipeline.audit(&["acme"], &truth)?);
    Ok(())
}

/// The trades on a minute's edge go over it, all others anywhere.
fn off_by_one(record: &Record, rng: &mut Rng) -> i64 {
    match timestamp_us(record) % 60_000_000 {
        0 => -1,
        59_999_999 => 1,
        _ => rng.i64(0..2) * 2 - 1,
    }
}

fn minute(record: &Record) -> i64 {
    timestamp_us(record) / 60_000_000
}

fn timestamp_us(record: &Record) -> i64 {
    record.json().ok().and_then(|value| value["timestamp_us"].as_i64()).unwrap_or_default()
}
