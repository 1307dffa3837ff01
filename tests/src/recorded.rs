//! Recorded data, where it is there: whole sockets, and candles that others made. Read here without any of the code that is
//! under test.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use flate2::read::MultiGzDecoder;
use serde::Deserialize;
use xtask::truth::{Decimal, Sum, Trade, TradeKey, Trades};

/// Names the folder with the recorded data; `../shared/recorded` beside the repository by default.
const FOLDER: &str = "TAPEDECK_RECORDED";

/// The folder with the recorded data. Where it is missing, says in one line that `test` is skipped.
pub fn folder(test: &str) -> Option<PathBuf> {
    let folder = match std::env::var_os(FOLDER) {
        Some(folder) => PathBuf::from(folder),
        None => xtask::home::repository().join("../shared/recorded"),
    };
    if folder.is_dir() {
        return Some(folder);
    }
    println!("{test}: skipped, there are no recordings in {} (set {FOLDER})", folder.display());
    None
}

/// The two recordings of ETH/USDT that meet at midnight.
pub fn eth_usdt(folder: &Path) -> Vec<PathBuf> {
    ["20240808", "20240809"].map(|day| folder.join(format!("replay/binance_spot_ethusdt_{day}.gz"))).to_vec()
}

#[derive(Deserialize)]
struct Combined {
    data: serde_json::Value,
}

#[derive(Deserialize)]
struct TradeEvent {
    t: u64,
    p: String,
    q: String,
    #[serde(rename = "T")]
    time_ms: i64,
    m: bool,
}

/// The trades in recorded sockets of Binance, as those of one market.
///
/// # Errors
/// A file cannot be read, or holds what is no message of Binance.
pub fn binance_trades(files: &[PathBuf], market: &str) -> Result<Trades> {
    let mut trades = Trades::default();
    for file in files {
        let opened = File::open(file).with_context(|| format!("{} cannot be opened", file.display()))?;
        for line in BufReader::new(MultiGzDecoder::new(opened)).lines() {
            let line = line?;
            let (_, message) = line.split_once(' ').context("a line without a time")?;
            if !message.contains(r#""e":"trade""#) {
                continue;
            }
            let event: TradeEvent = serde_json::from_value(serde_json::from_str::<Combined>(message)?.data)?;
            let side = if event.m { "SELL" } else { "BUY" };
            let trade = Trade::parse(&event.p, &event.q, side, event.time_ms * 1000)?;
            trades
                .add(TradeKey { exchange: "binance".into(), market: market.into(), id: event.t.to_string() }, trade)?;
        }
    }
    Ok(trades)
}

/// A candle that somebody else made: open, high, low, close and volume.
pub type ForeignCandle = ([Decimal; 4], Sum);

#[derive(Deserialize)]
struct CandleRow {
    open_time_s: i64,
    open: String,
    high: String,
    low: String,
    close: String,
    volume: String,
}

/// Candles of a file, by their start in seconds since 1970.
///
/// # Errors
/// The file cannot be read, or holds what is no candle.
pub fn candles(file: &Path) -> Result<BTreeMap<i64, ForeignCandle>> {
    let mut candles = BTreeMap::new();
    for row in csv::Reader::from_path(file)?.deserialize() {
        let CandleRow { open_time_s, open, high, low, close, volume } = row?;
        candles.insert(open_time_s, ([open.parse()?, high.parse()?, low.parse()?, close.parse()?], volume.parse()?));
    }
    Ok(candles)
}
