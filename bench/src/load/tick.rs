//! Prices and quantities of trades: recorded ones where there are recordings, else made up.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use flate2::read::MultiGzDecoder;
use serde::Deserialize;
use xtask::home::repository;

/// Names the folder with recordings; `../shared/recorded` beside the repository by default.
const FOLDER: &str = "TAPEDECK_RECORDED";

/// How many are used, over and over: few enough to stay in a processor's cache.
const MOST: usize = 2_048;

/// What differs from trade to trade besides id and time.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Tick {
    /// Price, as the exchange writes it: with eight digits behind the point.
    #[serde(rename = "p")]
    pub price: String,
    /// Quantity, the same.
    #[serde(rename = "q")]
    pub quantity: String,
    /// Whether the taker sold.
    #[serde(rename = "m")]
    pub sell: bool,
}

#[derive(Deserialize)]
struct Combined {
    data: Tick,
}

/// Recorded ticks if they can be had, else made-up ones; and whether they are recorded.
#[must_use]
pub fn ticks() -> (Vec<Tick>, bool) {
    let folder = std::env::var_os(FOLDER).map_or_else(|| repository().join("../shared/recorded"), PathBuf::from);
    match recorded(&folder.join("replay/binance_spot_ethusdt_20240808.gz")) {
        Ok(ticks) if !ticks.is_empty() => (ticks, true),
        _ => (made_up(), false),
    }
}

/// The first trades of a recorded socket: `<time> <message>` a line, trades among other messages.
fn recorded(file: &Path) -> Result<Vec<Tick>> {
    let opened = File::open(file).with_context(|| format!("{} cannot be opened", file.display()))?;
    let mut ticks = Vec::new();
    for line in BufReader::new(MultiGzDecoder::new(opened)).lines() {
        let line = line?;
        let Some((_, message)) = line.split_once(' ').filter(|(_, message)| message.contains(r#""e":"trade""#)) else {
            continue;
        };
        ticks.push(serde_json::from_str::<Combined>(message)?.data);
        if ticks.len() == MOST {
            break;
        }
    }
    Ok(ticks)
}

/// A price that wanders by cents, and small quantities; the same ones each time.
fn made_up() -> Vec<Tick> {
    let mut random = fastrand::Rng::with_seed(7);
    let mut cents: u64 = 268_380;
    let tick = |_| {
        cents = (cents + random.u64(0..=20)).saturating_sub(10).max(100_000);
        let quantity = 1 + random.u64(0..30_000) * random.u64(0..=1);
        Tick {
            price: format!("{}.{:02}000000", cents / 100, cents % 100),
            quantity: format!("{}.{:04}0000", quantity / 10_000, quantity % 10_000),
            sell: random.bool(),
        }
    };
    (0..MOST).map(tick).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn made_up_ticks_are_above_zero_and_always_the_same() {
        let ticks = made_up();
        assert_eq!(ticks, made_up());
        for tick in &ticks {
            let (price, quantity): (f64, f64) = (tick.price.parse().unwrap(), tick.quantity.parse().unwrap());
            assert!(price > 0.0 && quantity > 0.0, "{tick:?}");
            assert_eq!(tick.price.split_once('.').unwrap().1.len(), 8);
        }
    }
}
