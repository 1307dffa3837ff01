//! Sessions that outlive their connections: rotations, reconnect requests and cuts, and every trade in Kafka once.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use tapedeck_sim::{Exchange as Protocol, Fault, Rate, SimulatorOptions};
use tapedeck_tests::audit::received;
use tapedeck_tests::exchange::Exchange;
use tapedeck_tests::host::Host;
use tapedeck_tests::pipeline::Pipeline;
use tapedeck_tests::proxy::Proxy;
use tapedeck_tests::servers;

const PATIENCE: Duration = Duration::from_secs(60);

const BINANCE: [&str; 2] = ["BTC/USDT", "ETH/USDT"];
const KRAKEN: [&str; 2] = ["BTC/USD", "ETH/USD"];

/// Nobody is there, so that nothing is healed which was missed.
const NO_REST: &str = "http://127.0.0.1:1";

fn exchange(protocol: Protocol, markets: &[&str], seed: u64, trades: u64) -> Result<SimulatorOptions> {
    let mut options =
        SimulatorOptions::new(protocol).with_markets(markets.iter().copied()).map_err(anyhow::Error::msg)?;
    options.seed = seed;
    options.trades = Some(trades);
    options.rate = Rate::PerSecond(250);
    options.wait_for_subscribers = markets.len();
    Ok(options)
}

/// Watches until everything is published, and says how many connections the exchange ever had at once.
fn most_connections(exchange: &Exchange, host: &Host, mut meanwhile: impl FnMut() -> Result<()>) -> Result<usize> {
    let (deadline, mut most) = (Instant::now() + PATIENCE, 0);
    while !exchange.status().finished {
        ensure!(Instant::now() < deadline, "not everything is published: {:?}\n{}", exchange.status(), host.log());
        most = most.max(exchange.status().connections);
        meanwhile()?;
        std::thread::sleep(Duration::from_millis(2));
    }
    Ok(most)
}

/// Every trade of the truth is in the topic, and none is there twice.
fn each_once(pipeline: &Pipeline, name: &str, exchange: &Exchange, host: &Host) -> Result<()> {
    let (records, truth) = (pipeline.trades(name).records()?, exchange.truth()?);
    let received = received(&records, &truth)?;
    let (came, all) = (received.len(), truth.len());
    ensure!(received == truth, "{name}: {came} of {all} trades are in Kafka\n{}", host.log());
    let mut copies = HashMap::<(Vec<u8>, String), u32>::new();
    for record in &records {
        let id = record.json()?["trade_id"].as_str().context("a record without an id")?.to_owned();
        *copies.entry((record.key.clone(), id)).or_default() += 1;
    }
    let twice = copies.values().filter(|count| **count > 1).count();
    ensure!(twice == 0, "{name}: {twice} trades are in Kafka twice");
    Ok(())
}

/// Seeds 83 and 89. Connections live a second at most by the host's configuration, and 1.5 s by the exchange's; Kraken's
/// snapshots repeat trades with each. 25 rotations and more of each exchange.
#[test]
fn fifty_rotations_leave_no_gap_and_no_duplicate() -> Result<()> {
    let start = |protocol, markets, seed| {
        let mut options = exchange(protocol, markets, seed, 6_000)?;
        options.lifetime = Some(Duration::from_millis(1_500));
        options.shutdown_lead = Duration::from_millis(100);
        Exchange::start(options)
    };
    let (binance, kraken) = (start(Protocol::Binance, &BINANCE, 83)?, start(Protocol::Kraken, &KRAKEN, 89)?);
    let pipeline = Pipeline::new("rotations", servers::shared()?)?
        .with_feed("binance", &BINANCE, &binance.websocket(), NO_REST)
        .with_feed("kraken", &KRAKEN, &kraken.websocket(), NO_REST)
        .with("reconnect", "lifetime_seconds = 1");
    let mut host = pipeline.start_host()?;
    host.wait_ready()?;
    let mut most_of_kraken = 0;
    let most_of_binance = most_connections(&binance, &host, || {
        most_of_kraken = most_of_kraken.max(kraken.status().connections);
        Ok(())
    })?;
    let most_of_kraken = most_of_kraken.max(most_connections(&kraken, &host, || Ok(()))?);
    let mut rotations = 0;
    for (name, exchange) in [("binance", &binance), ("kraken", &kraken)] {
        host.wait_for_trades(name, 6_000, PATIENCE).with_context(|| host.log())?;
        let (rotated, lost) =
            (host.metric("tapedeck_rotations_total", name)?, host.metric("tapedeck_reconnects_total", name)?);
        println!("{name}: {rotated} rotations, {lost} connections lost, {:?}", exchange.status().counters);
        ensure!(lost == 0, "{name}: {lost} connections were lost\n{}", host.log());
        rotations += rotated;
    }
    host.stop_well()?;
    ensure!(rotations >= 50, "only {rotations} rotations");
    ensure!(most_of_binance <= 2 && most_of_kraken <= 2, "{most_of_binance} and {most_of_kraken} connections at once");
    each_once(&pipeline, "binance", &binance, &host)?;
    each_once(&pipeline, "kraken", &kraken, &host)
}

/// Seed 97. The exchange announces ten times that it is about to cut every connection.
#[test]
fn announced_cuts_find_nobody() -> Result<()> {
    let mut options = exchange(Protocol::Binance, &BINANCE, 97, 2_000)?;
    options.shutdown_lead = Duration::from_millis(700);
    let exchange = Exchange::start(options)?;
    let pipeline =
        Pipeline::new("announced", servers::shared()?)?.with_feed("binance", &BINANCE, &exchange.websocket(), NO_REST);
    let mut host = pipeline.start_host()?;
    host.wait_ready()?;
    let mut next = Instant::now();
    let most = most_connections(&exchange, &host, || {
        if Instant::now() >= next && exchange.status().connections == 1 {
            exchange.inject(Fault::Shutdown)?;
            next = Instant::now() + Duration::from_millis(800);
        }
        Ok(())
    })?;
    host.wait_for_trades("binance", 2_000, PATIENCE).with_context(|| host.log())?;
    let rotations = host.metric("tapedeck_rotations_total", "binance")?;
    host.stop_well()?;
    ensure!(rotations >= 5 && most <= 2, "{rotations} rotations, {most} connections at once\n{}", host.log());
    each_once(&pipeline, "binance", &exchange, &host)
}

/// Seed 101. Two connections to every market, of which now one and now the other is cut without a word.
#[test]
fn of_two_connections_one_may_be_cut_at_any_time() -> Result<()> {
    let exchange = Exchange::start(exchange(Protocol::Binance, &BINANCE, 101, 2_500)?)?;
    let proxy = Proxy::start(&exchange.websocket())?;
    let pipeline = Pipeline::new("redundant", servers::shared()?)?
        .with_feed("binance", &BINANCE, &proxy.websocket(), NO_REST)
        .with_feed_line("redundancy = 2");
    let mut host = pipeline.start_host()?;
    host.wait_ready()?;
    let (_, ready) = host.get("/ready")?;
    ensure!(ready.contains("binance-0: live") && ready.contains("binance-1: live"), "{ready}");
    let (mut cuts, mut next) = (0, Instant::now());
    let most = most_connections(&exchange, &host, || {
        if Instant::now() >= next && host.get("/ready")?.0 == 200 {
            proxy.cut_oldest();
            cuts += 1;
            next = Instant::now() + Duration::from_millis(600);
        }
        Ok(())
    })?;
    host.wait_for_trades("binance", 2_500, PATIENCE).with_context(|| host.log())?;
    let (lost, again) =
        (host.metric("tapedeck_reconnects_total", "binance")?, host.metric("tapedeck_duplicates_total", "binance")?);
    host.stop_well()?;
    println!("{cuts} cuts, {lost} connections lost, {again} second copies dropped, {most} connections at once");
    ensure!(cuts >= 5 && lost >= cuts && most <= 2, "{cuts} cuts, {lost} lost, {most} at once\n{}", host.log());
    ensure!(again > 1_000, "only {again} trades came twice: were there two connections?");
    each_once(&pipeline, "binance", &exchange, &host)
}

/// Seed 103. The exchange refuses one market of two; the other trades as if nothing were, and the refused one is asked for
/// again on connections beside it.
#[test]
fn a_refused_market_harms_no_other() -> Result<()> {
    let mut options = exchange(Protocol::Kraken, &["BTC/USD"], 103, 2_000)?;
    options.wait_for_subscribers = 1;
    let exchange = Exchange::start(options)?;
    let pipeline = Pipeline::new("refused", servers::shared()?)?.with_feed(
        "kraken",
        &["BTC/USD", "NO/SUCH"],
        &exchange.websocket(),
        NO_REST,
    );
    let mut host = pipeline.start_host()?;
    host.wait_ready()?;
    let most = most_connections(&exchange, &host, || Ok(()))?;
    host.wait_for_trades("kraken", 2_000, PATIENCE).with_context(|| host.log())?;
    let metric = |name| host.metric(name, "kraken");
    let (served, unserved) = (metric("tapedeck_subscribed_markets")?, metric("tapedeck_unserved_markets")?);
    let lost = metric("tapedeck_reconnects_total")?;
    let refusals = metric("tapedeck_rejected_subscriptions_total")?;
    let trials = exchange.status().counters.connections_total - 1;
    host.stop_well()?;
    ensure!((served, unserved, lost) == (1, 1, 0), "{served} served, {unserved} not, {lost} lost\n{}", host.log());
    let told = host.log().matches("Currency pair not supported NO/SUCH").count();
    ensure!(refusals >= 2 && told >= 2, "{refusals} refusals, told {told} times\n{}", host.log());
    ensure!((2..=8).contains(&trials) && most <= 2, "{trials} trials, {most} connections at once\n{}", host.log());
    each_once(&pipeline, "kraken", &exchange, &host)
}
