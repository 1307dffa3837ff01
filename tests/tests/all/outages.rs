//! Servers that are not there, stop, or die: nothing that was accepted is lost, and candles are exact when they are back.

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use tapedeck_sim::{Exchange as Protocol, Rate, SimulatorOptions};
use tapedeck_tests::audit::received;
use tapedeck_tests::exchange::Exchange;
use tapedeck_tests::kafka::Record;
use tapedeck_tests::pipeline::Pipeline;
use tapedeck_tests::servers;
use tapedeck_tests::wait::until_true;

const PATIENCE: Duration = Duration::from_secs(90);

/// How long Kafka is away in mid-stream.
const OUTAGE: Duration = Duration::from_secs(30);

const MARKETS: [&str; 2] = ["BTC/USDT", "ETH/USDT"];

fn exchange(seed: u64, trades: u64, a_second: u64) -> Result<Exchange> {
    let mut options = SimulatorOptions::new(Protocol::Binance).with_markets(MARKETS).map_err(anyhow::Error::msg)?;
    options.seed = seed;
    options.trades = Some(trades);
    options.rate = Rate::PerSecond(a_second);
    options.wait_for_subscribers = MARKETS.len();
    Exchange::start(options)
}

/// Seed 23. ClickHouse is not there either: the host does not care. Its queue is short, so that it has to stop reading.
#[test]
fn kafka_is_absent_at_the_start_and_in_mid_stream() -> Result<()> {
    let stack = servers::own()?;
    stack.kafka().stop()?;
    stack.clickhouse().stop()?;
    let exchange = exchange(23, 8_000, 200)?;
    let pipeline = Pipeline::new("kafka_absent", &stack)?
        .with_exchange("binance", &MARKETS, &exchange)
        .with("kafka", "queue_messages = 1000");

    let mut host = pipeline.start_host()?;
    host.wait_for_log("waiting for Kafka", PATIENCE)?;
    let (status, text) = host.get("/ready")?;
    ensure!(status == 503 && text.contains("kafka: not reached yet"), "{status}: {text}");
    ensure!(host.get("/health")?.0 == 200, "the host is healthy, it only waits");
    ensure!(exchange.status().connections == 0, "a session started before Kafka was there");

    stack.kafka().restart()?;
    host.wait_ready()?;
    host.wait_for_trades("binance", 1_000, PATIENCE)?;
    stack.kafka().kill9()?;
    std::thread::sleep(OUTAGE);
    let waits = figure(&host.get("/metrics")?.1, "tapedeck_producer_waits_total")?;
    ensure!(waits > 0, "with Kafka away for {} s the host never had to wait", OUTAGE.as_secs());
    stack.kafka().restart()?;
    exchange.wait_until_finished(PATIENCE).with_context(|| host.log())?;
    host.wait_for_trades("binance", 8_000, PATIENCE)?;
    let reconnects = host.metric("tapedeck_reconnects_total", "binance")?;
    host.stop_well()?;
    ensure!(reconnects == 0, "the exchange was left {reconnects} times, though only Kafka was away:\n{}", host.log());

    let records = pipeline.trades("binance").records()?;
    let truth = exchange.truth()?;
    ensure!(received(&records, &truth)? == truth, "{} records do not hold all {} trades", records.len(), truth.len());
    let copies = records.len() - truth.len();
    println!("8000 trades in Kafka after an outage of {} s, {copies} of them twice; {waits} waits", OUTAGE.as_secs());
    Ok(())
}

/// Seeds 59 and 61. Connections are cut every two seconds, and the host is killed once: what was missed meanwhile is asked
/// for, and all counts once, though snapshots repeat it.
#[test]
fn connections_are_cut_and_the_host_is_killed() -> Result<()> {
    let start = |protocol, markets: &[&str], seed| {
        let mut options =
            SimulatorOptions::new(protocol).with_markets(markets.iter().copied()).map_err(anyhow::Error::msg)?;
        options.seed = seed;
        options.trades = Some(2_500);
        options.rate = Rate::PerSecond(250);
        options.wait_for_subscribers = markets.len();
        options.faults.cut = Some(Duration::from_secs(2));
        Exchange::start(options)
    };
    let kraken_markets = ["BTC/USD", "ETH/USD"];
    let (binance, kraken) = (start(Protocol::Binance, &MARKETS, 59)?, start(Protocol::Kraken, &kraken_markets, 61)?);
    let pipeline = Pipeline::new("cut", servers::shared()?)?
        .with_exchange("binance", &MARKETS, &binance)
        .with_exchange("kraken", &kraken_markets, &kraken);
    pipeline.apply_sql()?;
    let mut host = pipeline.start_host()?;
    host.wait_for_trades("kraken", 1_000, PATIENCE)?;
    let lost = host.metric("tapedeck_reconnects_total", "kraken")?;
    host.kill9()?;
    let mut host = pipeline.start_host()?;
    for exchange in [&binance, &kraken] {
        exchange.wait_until_finished(PATIENCE).with_context(|| host.log())?;
    }
    let mut truth = binance.truth()?;
    for (key, trade) in kraken.truth()?.iter() {
        truth.add(key.clone(), *trade)?;
    }
    let records = || -> Result<Vec<Record>> {
        let mut records = pipeline.trades("binance").records()?;
        records.extend(pipeline.trades("kraken").records()?);
        Ok(records)
    };
    // What the last cut took, no later trade shows: the host asks once the market has been silent for a while.
    let all = || Ok(received(&records()?, &truth)?.len() == truth.len());
    until_true("every trade in Kafka", PATIENCE, all).with_context(|| host.log())?;
    let again = host.metric("tapedeck_reconnects_total", "kraken")?;
    host.stop_well()?;
    ensure!(lost + again > 1, "{lost} and {again} connections were lost");

    let records = records()?;
    let by = |source: &str| {
        records.iter().filter(|record| record.json().is_ok_and(|trade| trade["source"] == source)).count()
    };
    let (snapshots, backfilled) = (by("snapshot"), by("backfill"));
    println!(
        "{} trades published, in {} records: {snapshots} by snapshots, {backfilled} asked for",
        truth.len(),
        records.len()
    );
    ensure!(snapshots > 0 && backfilled > 0, "{snapshots} trades by snapshots, {backfilled} by asking");
    println!("{}", pipeline.audit(&["binance", "kraken"], &truth)?);
    Ok(())
}

/// Seed 29. Killed twice while trades flow: once while it reads, once while it catches up.
#[test]
fn clickhouse_is_killed_in_mid_stream() -> Result<()> {
    let stack = servers::own()?;
    let exchange = exchange(29, 8_000, 500)?;
    let pipeline = Pipeline::new("killed", &stack)?.with_exchange("binance", &MARKETS, &exchange);
    pipeline.command(&["topics", "apply"])?.success()?;
    pipeline.apply_sql()?;
    let mut host = pipeline.start_host()?;
    let silver = || pipeline.client.count(&format!("SELECT count() FROM {}.silver_trades", pipeline.database));

    for trades in [1_500, 4_500] {
        host.wait_for_trades("binance", trades, PATIENCE)?;
        until_true("rows in silver", PATIENCE, || Ok(silver()? > trades / 3))?;
        stack.clickhouse().kill9()?;
        host.wait_for_trades("binance", trades + 1_000, PATIENCE)?;
        stack.clickhouse().restart()?;
    }
    exchange.wait_until_finished(PATIENCE)?;
    host.wait_for_trades("binance", 8_000, PATIENCE)?;
    host.stop_well()?;
    println!("{}", pipeline.audit(&["binance"], &exchange.truth()?)?);
    Ok(())
}

fn figure(metrics: &str, name: &str) -> Result<u64> {
    let line = metrics.lines().find_map(|line| line.strip_prefix(name)).with_context(|| format!("no {name}"))?;
    Ok(line.trim().parse()?)
}
