//! Everything is killed and confused at once, a few times; `cargo chaos` does it at length. And exchanges whose REST is down
//! while trades are missed.

use std::collections::BTreeSet;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use tapedeck_sim::{Exchange as Protocol, Fault, Rate, RestFault, SimulatorOptions};
use tapedeck_tests::audit::received;
use tapedeck_tests::chaos::{self, Chaos};
use tapedeck_tests::exchange::Exchange;
use tapedeck_tests::host::Host;
use tapedeck_tests::kafka::Topic;
use tapedeck_tests::pipeline::Pipeline;
use tapedeck_tests::{servers, wait};

const PATIENCE: Duration = Duration::from_secs(60);

/// For how long the exchanges are away.
const AWAY: Duration = Duration::from_secs(2);

/// For how long REST is down after a gap is known.
const STILL_DOWN: Duration = Duration::from_secs(5);

const MARKETS: [(Protocol, &str, [&str; 2]); 2] =
    [(Protocol::Binance, "binance", ["BTC/USDT", "ETH/USDT"]), (Protocol::Kraken, "kraken", ["BTC/USD", "ETH/USD"])];

/// Seed 7: four kills of the host, two each of Kafka, ClickHouse and all connections, and trouble of every kind between.
#[test]
fn ten_kills_lose_nothing() -> Result<()> {
    let figures = chaos::run(&Chaos { kills: 10, seed: 7, ..Chaos::default() })?;
    ensure!(figures.published > 3_000 && figures.backfilled > 100, "{figures}");
    Ok(())
}

/// Both exchanges, and a host that has missed trades of both while their REST is down.
fn outage(name: &str, seed: u64, backfill: &str) -> Result<(Pipeline, Vec<Exchange>, Host)> {
    let mut pipeline = Pipeline::new(name, servers::shared()?)?.with("backfill", backfill);
    let mut exchanges = Vec::new();
    for (protocol, plugin, markets) in MARKETS {
        let mut options = SimulatorOptions::new(protocol).with_markets(markets).map_err(anyhow::Error::msg)?;
        (options.seed, options.rate, options.wait_for_subscribers) = (seed, Rate::PerSecond(150), markets.len());
        let exchange = Exchange::start(options)?;
        pipeline = pipeline.with_exchange(plugin, &markets, &exchange);
        exchanges.push(exchange);
    }
    pipeline.apply_sql()?;
    let mut host = pipeline.start_host()?;
    host.wait_ready()?;
    for (exchange, (_, plugin, _)) in exchanges.iter().zip(MARKETS) {
        host.wait_for_trades(plugin, 150, PATIENCE)?;
        exchange.inject(Fault::Rest(RestFault { down: true, ..RestFault::default() }))?;
        exchange.inject(Fault::Away(AWAY))?;
    }
    for (_, plugin, _) in MARKETS {
        let gaps = gaps(&pipeline, plugin);
        wait::until_true("a gap", PATIENCE, || Ok(!states(&gaps)?.is_empty())).with_context(|| host.log())?;
    }
    Ok((pipeline, exchanges, host))
}

fn gaps(pipeline: &Pipeline, plugin: &str) -> Topic {
    let trades = pipeline.trades(plugin);
    trades.sibling("gaps")
}

/// What is said of gaps: market, state, first and last id.
fn states(gaps: &Topic) -> Result<Vec<(String, String, u64, u64)>> {
    let mut found = Vec::new();
    for record in gaps.records()? {
        let value = record.json()?;
        let text = |key: &str| value[key].as_str().unwrap_or_default().to_owned();
        let id = |key: &str| value[key].as_u64().with_context(|| format!("a gap without {key}: {value}"));
        found.push((text("canonical_symbol"), text("state"), id("first_id")?, id("last_id")?));
    }
    Ok(found)
}

/// Seed 83.
#[test]
fn rest_is_down_for_the_whole_outage_and_back_later() -> Result<()> {
    let (pipeline, exchanges, mut host) = outage("rest_back", 83, "")?;
    std::thread::sleep(STILL_DOWN);
    for (exchange, (_, plugin, _)) in exchanges.iter().zip(MARKETS) {
        let said = states(&gaps(&pipeline, plugin))?;
        ensure!(said.iter().all(|(_, state, ..)| state == "open"), "{plugin}, with REST down: {said:?}");
        exchange.inject(Fault::Clear)?;
    }
    let mut truth = xtask::truth::Trades::default();
    for exchange in &exchanges {
        exchange.simulator().stop_publishing();
        wait::until_true("quiet", PATIENCE, || Ok(!exchange.status().running && exchange.status().pending_bytes == 0))?;
        for (key, trade) in exchange.truth()?.iter() {
            truth.add(key.clone(), *trade)?;
        }
    }
    for (_, plugin, _) in MARKETS {
        let topic = gaps(&pipeline, plugin);
        let healed = || {
            let said = states(&topic)?;
            let count = |wanted: &str| said.iter().filter(|(_, state, ..)| state == wanted).count();
            Ok(count("filled") == count("open"))
        };
        wait::until_true("every gap filled", PATIENCE, healed).with_context(|| host.log())?;
    }
    println!("{}", pipeline.audit(&["binance", "kraken"], &truth).with_context(|| host.log())?);
    let backfilled = pipeline
        .client
        .count(&format!("SELECT countIf(source = 'backfill') FROM {}.silver_trades FINAL", pipeline.database))?;
    ensure!(backfilled > 100, "{backfilled} trades came by backfill");
    host.stop_well()
}

/// Seed 89. What is listed is what is lost, id by id.
#[test]
fn rest_never_comes_back_and_what_is_missing_is_listed() -> Result<()> {
    let (pipeline, exchanges, mut host) = outage("rest_gone", 89, "give_up_seconds = 3")?;
    std::thread::sleep(STILL_DOWN);
    for exchange in &exchanges {
        exchange.simulator().stop_publishing();
        wait::until_true("quiet", PATIENCE, || Ok(!exchange.status().running && exchange.status().pending_bytes == 0))?;
    }
    let open = || {
        let (_, text) = host.get("/metrics")?;
        let lines: Vec<&str> = text.lines().filter(|line| line.starts_with("tapedeck_open_gaps{")).collect();
        ensure!(!lines.is_empty(), "no figure of open gaps in\n{text}");
        Ok(lines.iter().all(|line| line.ends_with(" 0")))
    };
    wait::until_true("no gap is open", PATIENCE, open).with_context(|| host.log())?;
    host.stop_well()?;
    for (exchange, (_, plugin, _)) in exchanges.iter().zip(MARKETS) {
        let truth = exchange.truth()?;
        let came = received(&pipeline.trades(plugin).records()?, &truth)?;
        let lost = truth.iter().filter(|(key, _)| came.get(key).is_none());
        let lost: BTreeSet<(String, u64)> = lost.map(|(key, _)| (key.market.clone(), key.order())).collect();
        let said = states(&gaps(&pipeline, plugin))?;
        let missing = said.iter().filter(|(_, state, ..)| state == "missing");
        let listed: BTreeSet<(String, u64)> =
            missing.flat_map(|(market, _, first, last)| (*first..=*last).map(|id| (market.clone(), id))).collect();
        ensure!(lost.len() > 100, "{plugin}: only {} trades were lost", lost.len());
        ensure!(lost == listed, "{plugin}: {} trades lost, {} listed: {said:?}", lost.len(), listed.len());
        println!("{plugin}: {} trades lost, all of them listed", lost.len());
    }
    Ok(())
}
