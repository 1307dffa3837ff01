//! The frames that are decoded: recorded ones where there are any, and some of the simulated exchanges.

use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, Result, ensure};
use flate2::read::MultiGzDecoder;
use futures_util::{SinkExt as _, StreamExt as _};
use tapedeck::frames::FrameBatch;
use tapedeck::plugin::{Decoded, Instance, Market, OpenRequest, Plugin, Runtime, SessionPlan};
use tapedeck_sim::{Exchange, Rate, Simulator, SimulatorOptions};
use tapedeck_tests::{exchange, recorded};
use tokio_tungstenite::connect_async;
use tokio_tungstenite::tungstenite::Message;

use crate::suite::Setting;

/// Trades of a simulated exchange.
const SIMULATED: u64 = 20_000;

/// Frames of one exchange that all carry trades.
#[derive(Debug)]
pub(super) struct Frames {
    pub(super) exchange: &'static str,
    origin: &'static str,
    pub(super) markets: Vec<&'static str>,
    pub(super) frames: Vec<String>,
    /// The trades in all of them.
    pub(super) trades: u64,
    /// The same frames, one a line.
    pub(super) file: PathBuf,
}

impl Frames {
    pub(super) fn title(&self) -> String {
        let mut name = self.exchange.to_owned();
        name.get_mut(..1).map(str::make_ascii_uppercase).unwrap_or_default();
        format!("{name}, {} frames", self.origin)
    }

    /// How many there are, and how large.
    pub(super) fn description(&self) -> String {
        let bytes: usize = self.frames.iter().map(String::len).sum();
        let (frames, trades) = (self.frames.len(), self.trades);
        format!("{} ({frames} with {trades} trades, {} bytes each)", self.title(), bytes / frames.max(1))
    }

    fn new(
        setting: &Setting,
        exchange: &'static str,
        origin: &'static str,
        markets: &[&'static str],
        frames: Vec<String>,
        trades: u64,
    ) -> Result<Self> {
        ensure!(!frames.is_empty() && frames.iter().all(|frame| !frame.contains('\n')), "frames of more than a line");
        let file = setting.folder.join(format!("{exchange}-{origin}.txt"));
        fs::write(&file, frames.join("\n")).with_context(|| format!("{} cannot be written", file.display()))?;
        Ok(Self { exchange, origin, markets: markets.to_vec(), frames, trades, file })
    }
}

/// All frames, those of the targets first.
pub(super) fn all(setting: &Setting, runtime: &Runtime) -> Result<Vec<Frames>> {
    let mut all = Vec::new();
    if let Some(folder) = recorded::folder("recorded frames") {
        let frames = recorded_frames(&folder)?;
        let trades = frames.len() as u64;
        all.push(Frames::new(setting, "binance", "recorded", &["ETH/USDT"], frames, trades)?);
    }
    let (binance, kraken) =
        (["BTC/USDT", "ETH/USDT", "SOL/USDT", "XRP/USDT"], ["BTC/USD", "ETH/USD", "SOL/USD", "XRP/USD"]);
    for (name, exchange, markets) in [("binance", Exchange::Binance, binance), ("kraken", Exchange::Kraken, kraken)] {
        let (frames, trades) = simulated(setting, runtime, exchange, &markets)?;
        all.push(Frames::new(setting, name, "simulated", &markets, frames, trades)?);
    }
    Ok(all)
}

/// The trade frames of a recorded socket of Binance.
fn recorded_frames(folder: &Path) -> Result<Vec<String>> {
    let mut frames = Vec::new();
    for file in recorded::eth_usdt(folder) {
        let opened = File::open(&file).with_context(|| format!("{} cannot be opened", file.display()))?;
        for line in BufReader::new(MultiGzDecoder::new(opened)).lines() {
            let line = line?;
            let (_, message) = line.split_once(' ').context("a line without a time")?;
            if message.contains(r#""e":"trade""#) {
                frames.push(message.to_owned());
            }
        }
    }
    Ok(frames)
}

/// What a simulated exchange sends to a plugin's session, without what carries no trade; and how many trades that is.
fn simulated(setting: &Setting, runtime: &Runtime, exchange: Exchange, markets: &[&str]) -> Result<(Vec<String>, u64)> {
    let mut options =
        SimulatorOptions::new(exchange).with_markets(markets.iter().copied()).map_err(anyhow::Error::msg)?;
    options.rate = Rate::Max;
    options.trades = Some(SIMULATED);
    options.wait_for_subscribers = markets.len();
    // So that the same frames come each time.
    options.clock_start_us = Some(1_723_161_255_000_000);
    exchange::runtime().block_on(async {
        let simulator = Simulator::start(options).await?;
        let file = setting.plugins.join(format!("{}.wasm", exchange.name()));
        let (mut instance, plan) = open(runtime, &file, markets, Some(simulator.ws_url()))?;
        let (mut socket, _) = connect_async(&plan.url).await.context("the simulated exchange does not answer")?;
        for message in &plan.messages {
            socket.send(Message::text(message)).await?;
        }
        let (mut frames, mut trades, mut decoded) = (Vec::new(), 0, Decoded::new());
        while trades < SIMULATED {
            let message = socket.next().await.context("the simulated exchange has ended the connection")??;
            let Message::Text(text) = message else { continue };
            let mut batch = FrameBatch::new();
            ensure!(batch.push(text.as_bytes()), "a frame does not fit into a batch");
            instance.decode(&batch, 0, &mut decoded);
            if !decoded.trades.is_empty() {
                trades += decoded.trades.len() as u64;
                frames.push(text.as_str().to_owned());
            }
        }
        simulator.stop().await;
        Ok((frames, trades))
    })
}

/// Opens a session of a plugin.
pub(super) fn open(
    runtime: &Runtime,
    file: &Path,
    markets: &[&str],
    endpoint: Option<String>,
) -> Result<(Instance, SessionPlan)> {
    let plugin = Arc::new(Plugin::load(runtime, file)?);
    let markets = markets.iter().map(|name| Market { name: (*name).to_owned(), symbol: None }).collect();
    Ok(plugin.open(OpenRequest { markets, endpoint, allow_plain: true, ..OpenRequest::default() })?)
}
