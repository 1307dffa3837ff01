//! SIGTERM under load: everything that was accepted is delivered, and nothing is half done.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use tapedeck_sim::{Exchange as Protocol, Rate, SimulatorOptions};
use tapedeck_tests::exchange::Exchange;
use tapedeck_tests::pipeline::Pipeline;
use tapedeck_tests::servers;

const MARKETS: [&str; 3] = ["BTC/USDT", "ETH/USDT", "SOL/USDT"];

/// Seed 31: as fast as the host reads, told to stop in the middle.
#[test]
fn a_host_that_is_told_to_stop_delivers_what_it_accepted() -> Result<()> {
    let mut options = SimulatorOptions::new(Protocol::Binance).with_markets(MARKETS).map_err(anyhow::Error::msg)?;
    options.seed = 31;
    options.rate = Rate::Max;
    options.wait_for_subscribers = MARKETS.len();
    let exchange = Exchange::start(options)?;
    let pipeline = Pipeline::new("shutdown", servers::shared()?)?
        .with_exchange("binance", &MARKETS, &exchange)
        .without_clickhouse();
    let mut host = pipeline.start_host()?;
    host.wait_for_trades("binance", 20_000, Duration::from_secs(60))?;
    let accepted = host.metric("tapedeck_trades_total", "binance")?;
    host.stop_well()?;
    ensure!(host.log().contains("everything that was accepted is in Kafka"), "{}", host.log());
    let published = exchange.truth()?.len();
    drop(exchange);

    let records = pipeline.trades("binance").records()?;
    ensure!(records.len() as u64 >= accepted, "{} records of at least {accepted} accepted trades", records.len());
    ensure!(records.len() <= published, "{} records of {published} published trades", records.len());
    // An exchange's ids are dense: what is in Kafka is all that was published up to some trade, without a hole, once each.
    let mut ids: BTreeMap<String, Vec<u64>> = BTreeMap::new();
    for record in &records {
        let value = record.json()?;
        let market = value["canonical_symbol"].as_str().context("a trade without a market")?;
        let id = value["order"].as_u64().context("a trade without an order")?;
        ensure!(record.key == format!("binance:{market}").into_bytes());
        ids.entry(market.to_owned()).or_default().push(id);
    }
    ensure!(ids.len() == MARKETS.len());
    for (market, ids) in ids {
        let gap = ids.windows(2).find(|pair| pair[1] != pair[0] + 1);
        ensure!(gap.is_none(), "{market}: the ids {gap:?} do not follow each other");
    }
    println!("{} records, {accepted} accepted a moment before the signal", records.len());
    Ok(())
}
