//! Exchanges that fall silent without a word: one market of many, or a connection that is open at one end only.

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use tapedeck_sim::{Exchange as Protocol, Fault, Rate, SimulatorOptions};
use tapedeck_tests::audit::received;
use tapedeck_tests::exchange::Exchange;
use tapedeck_tests::host::Host;
use tapedeck_tests::pipeline::Pipeline;
use tapedeck_tests::servers;
use tapedeck_tests::wait::until_true;

const PATIENCE: Duration = Duration::from_secs(60);

/// Each trades less than the one before: the first every 30 ms, the last, six times as seldom, every 200 ms.
const MARKETS: [&str; 6] = ["BTC/USDT", "ETH/USDT", "SOL/USDT", "ADA/USDT", "XRP/USDT", "DOGE/USDT"];
const BUSY: &str = MARKETS[0];
const SELDOM: &str = MARKETS[5];

/// Orders of the rarest market before its rhythm is known, some to spare: see `host/src/feed/rhythm.rs`.
const WARM: usize = 72;

/// A silence that is unusual for the busiest market and usual for the rarest.
const SOME_TIME: Duration = Duration::from_millis(1_500);

/// The markets that `/metrics` calls silent.
fn silent(host: &Host) -> Result<Vec<String>> {
    let (_, text) = host.get("/metrics")?;
    let lines =
        text.lines().filter_map(|line| line.strip_prefix("tapedeck_silent_market{exchange=\"binance\",market=\""));
    Ok(lines.filter_map(|line| line.strip_suffix("\"} 1").map(str::to_owned)).collect())
}

/// Times at which a market has traded: what comes at one time is one to its rhythm.
fn orders(exchange: &Exchange, market: &str) -> Result<usize> {
    let truth = exchange.truth()?;
    let mut times: Vec<i64> =
        truth.iter().filter(|(key, _)| key.market == market).map(|(_, trade)| trade.timestamp_us).collect();
    times.sort_unstable();
    times.dedup();
    Ok(times.len())
}

/// Seed 127. All markets are on one connection.
#[test]
fn one_market_that_falls_silent_is_named_and_no_other() -> Result<()> {
    let mut options = SimulatorOptions::new(Protocol::Binance).with_markets(MARKETS).map_err(anyhow::Error::msg)?;
    (options.seed, options.rate, options.wait_for_subscribers) = (127, Rate::PerSecond(250), MARKETS.len());
    let exchange = Exchange::start(options)?;
    let pipeline =
        Pipeline::new("silent", servers::shared()?)?.with_exchange("binance", &MARKETS, &exchange).without_clickhouse();
    let mut host = pipeline.start_host()?;
    until_true("every rhythm is learned", PATIENCE, || Ok(orders(&exchange, SELDOM)? >= WARM))?;
    ensure!(silent(&host)?.is_empty(), "{:?} silent before anything happened\n{}", silent(&host)?, host.log());

    exchange.inject(Fault::Mute(SELDOM.to_owned(), Some(SOME_TIME)))?;
    exchange.inject(Fault::Mute(BUSY.to_owned(), None))?;
    until_true("a silent market", PATIENCE, || Ok(!silent(&host)?.is_empty())).with_context(|| host.log())?;
    std::thread::sleep(SOME_TIME);
    ensure!(silent(&host)? == [BUSY], "{:?}\n{}", silent(&host)?, host.log());
    // A restart would bring no trade back: whoever watches the host is not told to do that.
    let (ready, sessions) = host.get("/ready")?;
    ensure!(ready == 200 && sessions.contains("binance-0: live"), "{ready}: {sessions}");
    ensure!(host.get("/health")?.0 == 200);

    exchange.inject(Fault::Clear)?;
    until_true("no silent market", PATIENCE, || Ok(silent(&host)?.is_empty())).with_context(|| host.log())?;
    let said = |text: &str| -> Vec<String> {
        host.log().lines().filter(|line| line.contains(text)).map(str::to_owned).collect()
    };
    let (fell, traded) = (said("a market that used to trade is silent"), said("a market that was silent trades again"));
    let name = format!("market=\"{BUSY}\"");
    ensure!(fell.len() == 1 && traded.len() == 1, "{fell:?}, {traded:?}");
    ensure!(fell[0].contains(&name) && traded[0].contains(&name), "{fell:?}, {traded:?}");
    ensure!(host.metric("tapedeck_reconnects_total", "binance")? == 0, "{}", host.log());
    host.stop_well()
}

/// Seed 131. The exchange forgets its connections: they stay open, nothing comes by them, and no close ever does. A heartbeat
/// comes five times a second; without one for the second that the plugin is told, the connection is dead.
#[test]
fn a_half_open_connection_is_found_by_the_plugin_s_rule() -> Result<()> {
    let markets = ["BTC/USD", "ETH/USD"];
    let mut options = SimulatorOptions::new(Protocol::Kraken).with_markets(markets).map_err(anyhow::Error::msg)?;
    (options.seed, options.rate, options.wait_for_subscribers) = (131, Rate::PerSecond(300), markets.len());
    options.trades = Some(3_000);
    options.heartbeat_interval = Duration::from_millis(200);
    let exchange = Exchange::start(options)?;
    let pipeline = Pipeline::new("half_open", servers::shared()?)?
        .with_exchange("kraken", &markets, &exchange)
        .with_feed_line("options = { idle_ms = \"1000\" }")
        .without_clickhouse();
    let mut host = pipeline.start_host()?;
    for (round, trades) in [(1, 500), (2, 1_500)] {
        host.wait_for_trades("kraken", trades, PATIENCE)?;
        exchange.inject(Fault::HalfOpen)?;
        let again =
            || Ok(host.metric("tapedeck_reconnects_total", "kraken")? == round && exchange.status().connections == 1);
        until_true("another connection", PATIENCE, again).with_context(|| host.log())?;
    }
    exchange.wait_until_finished(PATIENCE)?;
    let truth = exchange.truth()?;
    let all = || Ok(received(&pipeline.trades("kraken").records()?, &truth)?.len() == truth.len());
    until_true("every trade in Kafka", PATIENCE, all).with_context(|| host.log())?;
    host.stop_well()?;

    let counters = exchange.status().counters;
    ensure!(counters.connections_half_open == 2 && counters.connections_cut == 0, "{counters:?}");
    let found = host.log().matches("nothing came for 1 s").count();
    ensure!(found == 2, "{found} of 2 connections were found by their silence\n{}", host.log());
    let records = pipeline.trades("kraken").records()?;
    let backfilled = records.iter().filter(|record| record.json().is_ok_and(|trade| trade["source"] == "backfill"));
    let backfilled = backfilled.count();
    println!("{} trades, {backfilled} of them asked for", truth.len());
    ensure!(backfilled > 0, "nothing was missed: were the connections half-open?");
    Ok(())
}
