//! Servers that are not there, stop, or die: nothing that was accepted is lost, and candles are exact when they are back.

use std::collections::BTreeSet;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use tapedeck_sim::{Exchange as Protocol, Rate, SimulatorOptions};
use tapedeck_tests::exchange::Exchange;
use tapedeck_tests::kafka::Topic;
use tapedeck_tests::pipeline::Pipeline;
use tapedeck_tests::servers;
use xtask::truth::Trades;

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
    stack.kafka().stop()?;
    std::thread::sleep(OUTAGE);
    let waits = figure(&host.get("/metrics")?.1, "tapedeck_producer_waits_total")?;
    ensure!(waits > 0, "with Kafka away for {} s the host never had to wait", OUTAGE.as_secs());
    stack.kafka().restart()?;
    exchange.wait_until_finished(PATIENCE).with_context(|| host.log())?;
    host.wait_for_trades("binance", 8_000, PATIENCE)?;
    let reconnects = host.metric("tapedeck_reconnects_total", "binance")?;
    host.stop_well()?;
    ensure!(reconnects == 0, "the exchange was left {reconnects} times, though only Kafka was away:\n{}", host.log());

    let copies = equals_truth(&pipeline.trades("binance"), &exchange.truth()?)?;
    println!("8000 trades in Kafka after an outage of {} s, {copies} of them twice; {waits} waits", OUTAGE.as_secs());
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
        tapedeck_tests::wait::until_true("rows in silver", PATIENCE, || Ok(silver()? > trades / 3))?;
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

/// Compares the ids in a topic with the truth; gives the number of records too many.
fn equals_truth(topic: &Topic, truth: &Trades) -> Result<usize> {
    let records = topic.records()?;
    let mut found = BTreeSet::new();
    for record in &records {
        let value = record.json()?;
        let text = |key: &str| value[key].as_str().unwrap_or_default().to_owned();
        found.insert((text("canonical_symbol"), text("trade_id")));
    }
    let expected: BTreeSet<_> = truth.iter().map(|(key, _)| (key.market.clone(), key.id.clone())).collect();
    let missing: Vec<_> = expected.difference(&found).take(5).collect();
    let foreign: Vec<_> = found.difference(&expected).take(5).collect();
    ensure!(
        missing.is_empty() && foreign.is_empty(),
        "{} trades in Kafka, {} published; missing {missing:?}, unexpected {foreign:?}",
        found.len(),
        expected.len()
    );
    Ok(records.len() - found.len())
}

fn figure(metrics: &str, name: &str) -> Result<u64> {
    let line = metrics.lines().find_map(|line| line.strip_prefix(name)).with_context(|| format!("no {name}"))?;
    Ok(line.trim().parse()?)
}
