//! Captures of live sessions, decoded again: the same trades, and of two plugins just the difference.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use tapedeck::capture::{Recorder, SegmentHeader};
use tapedeck::config::CaptureConfig;
use tapedeck::frames::FrameBatch;
use tapedeck::metrics::CaptureMetrics;
use tapedeck::plugin::{Market, OpenRequest, Plugin, Runtime, RuntimeSettings};
use tapedeck_sim::{Exchange as Protocol, Fault, FaultRates, Rate, SimulatorOptions};
use tapedeck_tests::command::{Output, tapedeck};
use tapedeck_tests::exchange::Exchange;
use tapedeck_tests::lines::{Line, Lines};
use tapedeck_tests::pipeline::Pipeline;
use tapedeck_tests::{programs, servers};

use super::{Trades, guest, keyed, trades};

const PATIENCE: Duration = Duration::from_secs(90);

const MARKETS: [&str; 2] = ["BTC/USD", "ETH/USD"];

fn replay(folder: &Path, plugin: &Path, more: &[&str]) -> Result<Output> {
    let text = |path: &Path| path.to_str().map(str::to_owned).context("a path that is no text");
    let first = ["replay".to_owned(), text(folder)?, "--plugin".to_owned(), text(plugin)?];
    tapedeck(first.into_iter().chain(more.iter().map(|argument| (*argument).to_owned())))
}

/// Seed 71: one frame in twenty comes twice, one in a hundred is damaged beside its good self, and the connections are cut
/// in the middle.
#[test]
fn a_captured_session_gives_what_kafka_got() -> Result<()> {
    let mut options = SimulatorOptions::new(Protocol::Kraken).with_markets(MARKETS).map_err(anyhow::Error::msg)?;
    options.seed = 71;
    options.trades = Some(2_000);
    options.rate = Rate::PerSecond(400);
    options.wait_for_subscribers = MARKETS.len();
    options.faults = FaultRates { duplicate: 50_000, malformed: 10_000, ..FaultRates::default() };
    let exchange = Exchange::start(options)?;
    let folder = tempfile::tempdir()?;
    let pipeline = Pipeline::new("captured", servers::shared()?)?
        .with_exchange("kraken", &MARKETS, &exchange)
        .with("capture", &format!("folder = {:?}", folder.path()))
        .without_clickhouse();
    let mut host = pipeline.start_host()?;
    host.wait_for_trades("kraken", 500, PATIENCE)?;
    exchange.inject(Fault::Cut)?;
    exchange.wait_until_finished(PATIENCE)?;
    let frames = host.metric("tapedeck_frames_total", "kraken")?;
    host.stop_well()?;

    let plugin = programs::plugins()?.join("kraken.wasm");
    let output = replay(folder.path(), &plugin, &["--format", "jsonl"])?;
    ensure!(output.code == Some(0), "{output:?}");
    let lines = output.stdout.lines().map(|line| keyed(serde_json::from_str(line)?));
    let decoded: Trades = lines.collect::<Result<_>>()?;
    ensure!(output.stdout.lines().count() == decoded.len(), "a trade is there twice");
    // What was asked for afterwards came by REST, and no socket brought it.
    let mut sent = trades(&pipeline.trades("kraken"))?;
    let all = sent.len();
    sent.retain(|_, trade| trade["source"] != "backfill");
    ensure!(sent.len() > 1_000, "{} of {all} trades came by the socket", sent.len());
    for (key, trade) in &sent {
        ensure!(
            decoded.get(key) == Some(trade),
            "{key:?}: Kafka has {trade}, the capture gives {:?}",
            decoded.get(key)
        );
    }
    // Where a backfill was faster than the socket's own copy, the capture has that copy too.
    ensure!(decoded.len() <= all, "{} trades of {all}", decoded.len());
    ensure!(output.stderr.contains(&format!("{frames} frames in ")), "not {frames} frames: {}", output.stderr);
    ensure!(output.stderr.contains("had come before") && output.stderr.contains("refused: "), "{}", output.stderr);

    let same = plugin.to_str().context("a path that is no text")?;
    let compared = replay(folder.path(), &plugin, &["--diff", same])?;
    ensure!(compared.code == Some(0) && compared.stdout.contains("give the same trades and refusals"), "{compared:?}");
    let foreign = replay(folder.path(), &programs::plugins()?.join("binance.wasm"), &[])?;
    ensure!(foreign.code == Some(1) && foreign.stderr.contains("there are kraken by kraken"), "{foreign:?}");
    Ok(())
}

const TIME_US: i64 = 1_723_161_255_000_000;

/// Trades 1 to 120, and two frames on which `traps` dies and which hold trades for `repaired`.
fn script() -> Vec<Line> {
    let mut frames = Vec::new();
    for id in 1..=120 {
        frames.push((format!("BTCUSDT,{id},64000.5,0.25,{}", TIME_US + id).into_bytes(), Duration::from_millis(1)));
        if id == 30 || id == 90 {
            let deadly = format!("PANIC\nBTCUSDT,{},64000.5,0.25,{}", 1_000 + id, TIME_US + id);
            frames.push((deadly.into_bytes(), Duration::from_millis(20)));
        }
    }
    frames
}

/// Needs no servers: the capture is written here, in batches of seven.
#[test]
fn two_plugins_differ_in_just_what_is_different() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let config = CaptureConfig { folder: folder.path().to_owned(), segment_bytes: 1 << 20, max_bytes: 1 << 30 };
    let recorder = Recorder::start(&config, CaptureMetrics::default())?;
    let plugin = Plugin::load(&Runtime::new(&RuntimeSettings::default())?, &guest("traps")?)?;
    let markets = vec![Market { name: "BTC/USDT".to_owned(), symbol: None }];
    let request = OpenRequest { markets, ..OpenRequest::default() };
    let mut stream = recorder.streams().open(SegmentHeader::new("traps", "traps-0", &plugin, &request));
    stream.opened();
    for (number, lines) in (0..).zip(script().chunks(7)) {
        let mut batch = FrameBatch::new();
        ensure!(lines.iter().all(|(frame, _)| batch.push(frame)));
        stream.record(&batch, TIME_US + number);
    }
    recorder.finish();
    let repaired = guest("repaired")?;
    differ(folder.path(), repaired.to_str().context("a path that is no text")?)
}

fn differ(folder: &Path, repaired: &str) -> Result<()> {
    let output = replay(folder, &guest("traps")?, &["--exchange", "traps", "--diff", repaired])?;
    ensure!(output.code == Some(1), "{output:?}");
    let said = &output.stdout;
    for part in [
        "traps 0.1.0: 120 trades, 2 frames refused, ",
        "repaired 0.2.0: 122 trades, 0 frames refused",
        "traps BTC/USDT 50: price 64000.5 → 64000.6\n",
        "traps BTC/USDT 100: price 64000.5 → 64000.6\n",
        "traps BTC/USDT 1030: only of the second\n",
        "traps BTC/USDT 1090: only of the second\n",
        "6 differences between traps 0.1.0 and repaired 0.2.0: 2 frames refused only by the first, 2 price, 2 trades only \
         of the second\n",
    ] {
        ensure!(said.contains(part), "no {part:?} in {said}");
    }
    let bounded = replay(folder, &guest("traps")?, &["--diff", repaired, "--show", "1"])?;
    ensure!(bounded.code == Some(1) && bounded.stdout.contains("… and 5 more\n"), "{bounded:?}");
    Ok(())
}

#[test]
fn a_capture_survives_kill_9_and_is_sent() -> Result<()> {
    let server = Lines::start(script())?;
    let (plugins, folder) = (tempfile::tempdir()?, tempfile::tempdir()?);
    std::fs::copy(guest("traps")?, plugins.path().join("traps.wasm"))?;
    let pipeline = Pipeline::new("killed_capture", servers::shared()?)?
        .with_plugins(plugins.path())
        .with_feed("traps", &["BTC/USDT"], &server.websocket(), "http://127.0.0.1:1")
        .with("capture", &format!("folder = {:?}", folder.path()))
        .without_clickhouse();
    let mut host = pipeline.start_host()?;
    host.wait_for_trades("traps", 120, PATIENCE)?;
    // What was received a second ago is written.
    std::thread::sleep(Duration::from_millis(2_500));
    host.kill9()?;
    let repaired = guest("repaired")?;
    let text = repaired.to_str().context("a path that is no text")?;
    differ(folder.path(), text)?;

    // What the repaired plugin makes of it goes to Kafka beside what is there.
    let config = pipeline.config()?;
    let config = config.to_str().context("a path that is no text")?;
    let more = ["--exchange", "traps", "--send", "--config", config];
    let sent = replay(folder.path(), &repaired, &more)?.success()?;
    ensure!(sent.contains("122 trades are in Kafka"), "{sent}");
    let there = trades(&pipeline.trades("traps"))?;
    ensure!(there.len() == 122, "{} trades", there.len());
    let trade = there.get(&("BTC/USDT".to_owned(), "1030".to_owned())).context("a trade is missing")?;
    ensure!(trade["plugin"] == "repaired" && trade["exchange"] == "traps", "{trade}");
    Ok(())
}
