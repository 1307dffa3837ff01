//! Everything is killed and confused at once, a few times; `cargo chaos` does it at length.

use anyhow::{Result, ensure};
use tapedeck_tests::chaos::{self, Chaos};

/// Seed 7: four kills of the host, two each of Kafka, ClickHouse and all connections, and trouble of every kind between.
#[test]
fn ten_kills_lose_nothing() -> Result<()> {
    let figures = chaos::run(&Chaos { kills: 10, seed: 7, ..Chaos::default() })?;
    ensure!(figures.published > 3_000 && figures.backfilled > 100, "{figures}");
    Ok(())
}
