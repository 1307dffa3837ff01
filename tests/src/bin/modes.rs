//! What the modes of delivery cost: from handing a trade to the producer to Kafka's yes, in each, as docs/delivery.md quotes it.

use std::time::Duration;

use anyhow::{Context as _, Result};
use tapedeck_sim::{Exchange as Protocol, Rate, SimulatorOptions};
use tapedeck_tests::exchange::Exchange;
use tapedeck_tests::pipeline::Pipeline;
use tapedeck_tests::servers;

const MARKETS: [&str; 2] = ["BTC/USDT", "ETH/USDT"];

/// How long each mode is watched, at 1,000 trades a second.
const TIME: Duration = Duration::from_secs(15);

fn main() -> Result<()> {
    let exactly = "delivery = \"exactly-once\"";
    let modes = [
        ("at-least-once", "at_least", String::new()),
        ("exactly-once, commit_ms = 100", "exactly_100", exactly.to_owned()),
        ("exactly-once, commit_ms = 20", "exactly_20", format!("{exactly}\ncommit_ms = 20")),
    ];
    for (title, name, lines) in modes {
        let mut options = SimulatorOptions::new(Protocol::Binance).with_markets(MARKETS).map_err(anyhow::Error::msg)?;
        options.rate = Rate::PerSecond(1_000);
        options.wait_for_subscribers = MARKETS.len();
        let exchange = Exchange::start(options)?;
        let pipeline = Pipeline::new(&format!("cost_{name}"), servers::shared()?)?
            .with_exchange("binance", &MARKETS, &exchange)
            .with("kafka", &lines);
        let mut host = pipeline.start_host()?;
        host.wait_ready()?;
        std::thread::sleep(TIME);
        let metrics = host.get("/metrics")?.1;
        host.stop_well()?;
        let buckets = buckets(&metrics)?;
        println!("{title}: half within {} s, 99 % within {} s", share(&buckets, 0.5)?, share(&buckets, 0.99)?);
    }
    Ok(())
}

/// Bounds in seconds, and how many deliveries took no longer.
fn buckets(metrics: &str) -> Result<Vec<(f64, f64)>> {
    let lines = metrics.lines().filter(|line| line.starts_with("tapedeck_produce_seconds_bucket"));
    let read = |line: &str| {
        let bound = line.split("le=\"").nth(1)?.split('"').next()?;
        let bound = if bound == "+Inf" { f64::INFINITY } else { bound.parse().ok()? };
        Some((bound, line.rsplit(' ').next()?.parse().ok()?))
    };
    lines.map(|line| read(line).with_context(|| format!("not a bucket: {line}"))).collect()
}

/// The bound that this share of deliveries keeps.
fn share(buckets: &[(f64, f64)], share: f64) -> Result<f64> {
    let all = buckets.last().context("no figure of deliveries")?.1;
    let found = buckets.iter().find(|(_, count)| *count >= all * share).context("no bucket holds them")?;
    Ok(found.0)
}
