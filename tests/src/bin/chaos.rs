//! `cargo chaos`: kills and confuses the whole pipeline by a seed, and compares what came out with what was published.
//! `docs/guarantees.md` has figures.

use std::time::Duration;

use anyhow::{Context, Result, bail};
use tapedeck_sim::parse_duration;
use tapedeck_tests::chaos::{self, Chaos, outage};

const USAGE: &str =
    "cargo chaos [--kills N] [--seed S] [--rate R] [--delivery at-least-once|exactly-once] [--settle 180s]
cargo chaos --without-kafka 10m [--seed S] [--rate R]";

fn main() -> Result<()> {
    let mut chaos = Chaos { seed: fastrand::u64(1..1_000_000), ..Chaos::default() };
    let mut without_kafka = None;
    let mut arguments = std::env::args().skip(1);
    while let Some(flag) = arguments.next() {
        if flag == "--help" || flag == "-h" {
            println!("{USAGE}");
            return Ok(());
        }
        let value = arguments.next().with_context(|| format!("{flag} needs a value\n{USAGE}"))?;
        let number = || value.parse::<u64>().with_context(|| format!("{flag} takes a number, not {value}"));
        let time = || -> Result<Duration> { parse_duration(&value).map_err(anyhow::Error::msg) };
        match flag.as_str() {
            "--kills" => chaos.kills = usize::try_from(number()?)?,
            "--seed" => chaos.seed = number()?,
            "--rate" => chaos.rate = number()?,
            "--settle" => chaos.settle = time()?,
            "--without-kafka" => without_kafka = Some(time()?),
            "--delivery" => match value.as_str() {
                "at-least-once" => chaos.exactly_once = false,
                "exactly-once" => chaos.exactly_once = true,
                _ => bail!("--delivery takes at-least-once or exactly-once"),
            },
            _ => bail!("{flag} is unknown\n{USAGE}"),
        }
    }
    match without_kafka {
        None => chaos::run(&chaos).map(drop),
        Some(time) => outage::run(&outage::Outage { lasting: time, rate: chaos.rate, seed: chaos.seed }).map(drop),
    }
}
