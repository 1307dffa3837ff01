//! Kafka away for longer than memory holds: the spool on disk takes over, and nothing is lost.

use std::fs;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use tapedeck_sim::{Exchange as Protocol, Rate, SimulatorOptions};
use tapedeck_tests::audit::received;
use tapedeck_tests::exchange::Exchange;
use tapedeck_tests::host::Host;
use tapedeck_tests::pipeline::Pipeline;
use tapedeck_tests::{servers, wait};

const PATIENCE: Duration = Duration::from_secs(90);

const MARKETS: [&str; 2] = ["BTC/USDT", "ETH/USDT"];

fn exchange(seed: u64, trades: u64, a_second: u64) -> Result<Exchange> {
    let mut options = SimulatorOptions::new(Protocol::Binance).with_markets(MARKETS).map_err(anyhow::Error::msg)?;
    options.seed = seed;
    options.trades = Some(trades);
    options.rate = Rate::PerSecond(a_second);
    options.wait_for_subscribers = MARKETS.len();
    Exchange::start(options)
}

/// A host whose memory holds a thousand records, and its spool the rest.
fn pipeline(name: &str, stack: &xtask::stack::Stack, exchange: &Exchange, spool: &Path) -> Result<Pipeline> {
    let pipeline = Pipeline::new(name, stack)?.with_exchange("binance", &MARKETS, exchange);
    Ok(pipeline.with("kafka", "queue_messages = 1000").with("spool", &format!("folder = {spool:?}\nmax_mb = 64")))
}

fn figure(host: &Host, name: &str) -> Result<u64> {
    let metrics = host.get("/metrics")?.1;
    let line = metrics.lines().find_map(|line| line.strip_prefix(&format!("{name} "))).context(name.to_owned())?;
    Ok(line.trim().parse()?)
}

fn segments(spool: &Path) -> Result<usize> {
    let names = fs::read_dir(spool)?.map(|entry| Ok(entry?.file_name()));
    let names: Vec<_> = names.collect::<Result<_>>()?;
    Ok(names.iter().filter(|name| name.to_string_lossy().ends_with(".spool")).count())
}

/// Every trade of the exchange is in Kafka, and those of a market came in the order of their ids.
fn check(pipeline: &Pipeline, exchange: &Exchange, in_order: bool) -> Result<()> {
    let (records, truth) = (pipeline.trades("binance").records()?, exchange.truth()?);
    ensure!(received(&records, &truth)? == truth, "{} records do not hold all {} trades", records.len(), truth.len());
    if in_order {
        ensure!(records.len() == truth.len(), "{} records of {} trades", records.len(), truth.len());
        let mut last = std::collections::BTreeMap::new();
        for record in &records {
            let id: u64 = record.json()?["trade_id"].as_str().context("no id")?.parse()?;
            let before = last.insert(record.key.clone(), id);
            ensure!(before.is_none_or(|before| before < id), "trade {id} came behind {before:?}");
        }
    }
    println!("{} trades in {} records", truth.len(), records.len());
    Ok(())
}

/// Seed 71. Kafka is away for a time in which ten times as many trades come as memory holds; sessions go on reading.
#[test]
fn kafka_is_away_for_longer_than_memory_holds() -> Result<()> {
    let (stack, spool) = (servers::own()?, tempfile::tempdir()?);
    stack.clickhouse().stop()?;
    let exchange = exchange(71, 16_000, 1_000)?;
    let pipeline = pipeline("spool_away", &stack, &exchange, spool.path())?;
    let mut host = pipeline.start_host()?;
    host.wait_for_trades("binance", 1_000, PATIENCE)?;
    stack.kafka().kill9()?;
    exchange.wait_until_finished(PATIENCE)?;
    // Every trade is accepted while Kafka is away.
    host.wait_for_trades("binance", 16_000, PATIENCE)?;
    let (records, bytes) = (figure(&host, "tapedeck_spool_records")?, figure(&host, "tapedeck_spool_size")?);
    ensure!(records > 10_000 && bytes > 200 * records, "{records} records in {bytes} bytes");
    let in_flight = figure(&host, "tapedeck_records_in_flight")?;
    ensure!(in_flight <= 1_001, "{in_flight} records in memory");
    stack.kafka().restart()?;
    wait::until_true("the spool to be empty", PATIENCE, || Ok(figure(&host, "tapedeck_spool_records")? == 0))
        .with_context(|| host.log())?;
    host.stop_well()?;
    ensure!(segments(spool.path())? == 0, "{} segments are left", segments(spool.path())?);
    check(&pipeline, &exchange, true)
}

/// Seed 73. SIGTERM while Kafka is away: what memory and spool hold is safe on disk, and the next host delivers it.
#[test]
fn a_host_that_stops_while_kafka_is_away_leaves_everything_in_the_spool() -> Result<()> {
    let (stack, spool) = (servers::own()?, tempfile::tempdir()?);
    stack.clickhouse().stop()?;
    let exchange = exchange(73, 6_000, 1_000)?;
    let pipeline = pipeline("spool_stop", &stack, &exchange, spool.path())?;
    let mut host = pipeline.start_host()?;
    host.wait_for_trades("binance", 500, PATIENCE)?;
    stack.kafka().kill9()?;
    exchange.wait_until_finished(PATIENCE)?;
    host.wait_for_trades("binance", 6_000, PATIENCE)?;
    host.stop_well()?;
    ensure!(host.log().contains("is safe in the spool"), "{}", host.log());
    ensure!(segments(spool.path())? > 0, "the spool is empty:\n{}", host.log());

    stack.kafka().restart()?;
    let mut host = pipeline.start_host()?;
    host.wait_ready()?;
    wait::until_true("an empty spool", PATIENCE, || Ok(segments(spool.path())? == 0)).with_context(|| host.log())?;
    host.stop_well()?;
    check(&pipeline, &exchange, false)
}

/// Seed 79. The spool is smaller than the outage: sessions stop reading, and nothing that was accepted is lost. Without
/// Kafka until the end, SIGTERM ends with the count of what is neither in Kafka nor on disk.
#[test]
fn without_room_on_disk_a_host_stops_reading() -> Result<()> {
    let (stack, folder) = (servers::own()?, tempfile::tempdir()?);
    stack.clickhouse().stop()?;
    let exchange = exchange(79, 8_000, 1_000)?;
    let spool = folder.path().join("spool");
    let pipeline = pipeline("spool_gone", &stack, &exchange, &spool)?.with("limits", "drain_seconds = 5");
    let mut host = pipeline.start_host()?;
    host.wait_for_trades("binance", 1, PATIENCE)?;
    // As a disk that is lost: nothing can be made in the folder any more.
    fs::remove_dir_all(&spool)?;
    host.wait_for_trades("binance", 500, PATIENCE)?;
    stack.kafka().kill9()?;
    host.wait_for_log("the spool takes no more: sessions stop reading", PATIENCE)?;
    ensure!(host.log().contains("cannot be made ([spool] folder)"), "{}", host.log());
    std::thread::sleep(Duration::from_secs(3));
    // Once for each outage, of which a slow start of Kafka may be one.
    let said = host.log().matches("the spool takes no more").count();
    ensure!(said <= 2 && !host.log().contains("records go to the spool"), "{}", host.log());
    let before = host.metric("tapedeck_trades_total", "binance")?;
    ensure!(before < 8_000, "the host went on reading");
    let status = host.stop()?;
    ensure!(status.code() == Some(1), "{status}");
    ensure!(host.log().contains("records were accepted but not acknowledged by Kafka"), "{}", host.log());
    Ok(())
}

/// A folder that cannot be used is said before anything starts.
#[test]
fn a_spool_that_cannot_be_written_is_said_at_once() -> Result<()> {
    let file = tempfile::NamedTempFile::new()?;
    let folder = file.path().join("spool");
    let pipeline = Pipeline::new("spool_unusable", servers::shared()?)?
        .with_feed_named("acme", "binance", &MARKETS)
        .with("spool", &format!("folder = {folder:?}"));
    let output = pipeline.command(&["run"])?;
    ensure!(output.code == Some(64), "{output:?}");
    ensure!(output.stderr.contains("cannot be made ([spool] folder)"), "{}", output.stderr);
    Ok(())
}
