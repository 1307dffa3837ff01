//! `cargo run --release -p tapedeck-tests --bin load`: how many frames a second this machine carries from an exchange into
//! candles. `docs/load.md` has figures.

use std::time::Duration;

use anyhow::{Context, Result, bail};
use tapedeck_tests::load::{Load, run};

fn main() -> Result<()> {
    let mut load = Load { rate: "max".to_owned(), duration: Duration::from_secs(20) };
    let mut arguments = std::env::args().skip(1);
    while let Some(flag) = arguments.next() {
        let value = arguments.next().with_context(|| format!("{flag} needs a value"))?;
        match flag.as_str() {
            "--rate" => load.rate = value,
            "--seconds" => load.duration = Duration::from_secs(value.parse().context("--seconds takes a number")?),
            _ => bail!("{flag} is unknown: use --rate N|max and --seconds N"),
        }
    }
    run(&load)
}
