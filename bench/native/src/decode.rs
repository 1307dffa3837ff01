//! Measures one way to decode a file of frames.

use std::error::Error;
use std::fs;
use std::hint::black_box;

use tapedeck_plugin_binance::Binance;
use tapedeck_plugin_kraken::Kraken;
use tapedeck_sdk::testing::{self, Opened, Opening};
use tapedeck_sdk::{Batch, Decoded, Plugin};

use crate::records::{self, Reader};
use crate::stopwatch;

/// What to measure, as it was asked for.
pub(crate) struct Task<'a> {
    /// `plugin` or `serde`.
    pub(crate) way: &'a str,
    /// Whose frames they are.
    pub(crate) exchange: &'a str,
    /// Canonical names with commas between them.
    pub(crate) markets: &'a str,
    /// File with a frame a line.
    pub(crate) frames: &'a str,
    /// Frames a batch.
    pub(crate) batch: &'a str,
    /// Processor time to measure for.
    pub(crate) seconds: &'a str,
}

pub(crate) fn run(task: &Task<'_>) -> Result<(), Box<dyn Error>> {
    let text = fs::read_to_string(task.frames)?;
    let frames: Vec<&str> = text.lines().collect();
    let batches: Vec<Batch> = frames.chunks(task.batch.parse::<usize>()?.max(1)).map(testing::batch).collect();
    let (seconds, markets) = (task.seconds.parse()?, task.markets.split(',').collect::<Vec<_>>());
    match (task.way, task.exchange) {
        ("plugin", "binance") => plugin::<Binance>(&markets, &batches, seconds),
        ("plugin", "kraken") => plugin::<Kraken>(&markets, &batches, seconds),
        ("serde", "binance") => serde(&Reader::new::<Binance>(&markets)?, records::binance, &batches, seconds),
        ("serde", "kraken") => serde(&Reader::new::<Kraken>(&markets)?, records::kraken, &batches, seconds),
        (way, exchange) => Err(format!("there is no {way} for {exchange}").into()),
    }
}

fn plugin<P: Plugin>(markets: &[&str], batches: &[Batch], seconds: f64) -> Result<(), Box<dyn Error>> {
    let Opened { mut session, .. } =
        Opening::new(markets).open::<P>().map_err(|refusal| format!("the plugin refuses: {}", refusal.reason))?;
    measure(batches, seconds, |batch| session.decode(batch))
}

fn serde(reader: &Reader, frame: records::Frame, batches: &[Batch], seconds: f64) -> Result<(), Box<dyn Error>> {
    measure(batches, seconds, |batch| reader.decode(batch, frame))
}

fn measure(
    batches: &[Batch],
    seconds: f64,
    mut decode: impl FnMut(&Batch) -> Result<Decoded, String>,
) -> Result<(), Box<dyn Error>> {
    for batch in batches {
        if let Some(refusal) = decode(batch)?.refusals.first() {
            return Err(format!("a frame was refused: {}", refusal.reason).into());
        }
    }
    stopwatch::measure(seconds, || {
        let trades = batches.iter().map(|batch| black_box(decode(black_box(batch))).map_or(0, |out| out.trades.len()));
        trades.sum::<usize>() as u64
    });
    Ok(())
}
