//! The whole host with a folder full of plugins that misbehave: named in the log, contained, and other feeds unharmed.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use tapedeck_sim::{Exchange as Protocol, Rate, SimulatorOptions};
use tapedeck_tests::exchange::Exchange;
use tapedeck_tests::kafka::Topic;
use tapedeck_tests::lines::{Line, Lines};
use tapedeck_tests::pipeline::Pipeline;
use tapedeck_tests::{programs, servers, wait};

const PATIENCE: Duration = Duration::from_secs(90);

/// Good lines of each feed.
const GOOD: u64 = 200;

/// A bad frame comes after so many good ones.
const EVERY: u64 = 40;

/// Time behind a bad frame, so that the next is in another batch: of one batch, a plugin may only fail for so long.
const PAUSE: Duration = Duration::from_millis(500);

const MARKETS: [&str; 2] = ["BTC/USDT", "ETH/USDT"];

/// Good trades, and bad frames among them.
fn script(bad: &[&str]) -> Vec<Line> {
    let mut frames = Vec::new();
    let mut bad = bad.iter().cycle();
    for id in 1..=GOOD {
        let good = format!("BTCUSDT,{id},64000.5,0.25,{}", 1_723_161_255_000_000 + id);
        frames.push((good.into_bytes(), Duration::ZERO));
        if id % EVERY == 0
            && let Some(marker) = bad.next()
        {
            frames.push((format!("{marker},{id}").into_bytes(), PAUSE));
        }
    }
    frames
}

/// Seed 43.
#[test]
fn feeds_beside_hostile_plugins_are_unharmed() -> Result<()> {
    let folder = tempfile::tempdir()?;
    copy_all(programs::hostile_plugins()?, folder.path())?;
    copy_all(programs::plugins()?, folder.path())?;
    // One that hangs in `open` keeps any host from starting that has a feed for it; here nobody asks for it.
    let feeds: [(&str, &[&str], &str); 4] = [
        ("loops", &["LOOP"], "limit"),
        ("traps", &["PANIC", "UNREACHABLE", "OUT_OF_BOUNDS", "STACK", "ABORT"], "trap"),
        ("eats_memory", &["EAT"], "limit"),
        ("nonsense", &["MARKET", "SCALE", "NO_ID", "REFUSAL"], "refused"),
    ];
    let mut options = SimulatorOptions::new(Protocol::Binance).with_markets(MARKETS).map_err(anyhow::Error::msg)?;
    options.seed = 43;
    options.trades = Some(1_000);
    options.rate = Rate::PerSecond(300);
    options.wait_for_subscribers = MARKETS.len();
    let exchange = Exchange::start(options)?;
    let mut pipeline = Pipeline::new("containment", servers::shared()?)?
        .with_plugins(folder.path())
        .with("plugins", "time_ms = 200")
        .with_exchange("binance", &MARKETS, &exchange)
        .without_clickhouse();
    let servers = feeds.iter().map(|(_, bad, _)| Lines::start(script(bad))).collect::<Result<Vec<_>>>()?;
    for ((plugin, _, _), server) in feeds.iter().zip(&servers) {
        pipeline = pipeline.with_feed(plugin, &["BTC/USDT"], &server.websocket(), "http://127.0.0.1:1");
    }

    let mut host = pipeline.start_host()?;
    exchange.wait_until_finished(PATIENCE).with_context(|| host.log())?;
    let truth = exchange.truth()?;
    host.wait_for_trades("binance", truth.len() as u64, PATIENCE)?;
    for (plugin, _, _) in &feeds {
        host.wait_for_trades(plugin, GOOD, PATIENCE)?;
    }
    let log = host.log();
    for file in ["core-module", "describe-lies", "describe-traps", "imports-foreign", "not-wasm", "wrong-version"] {
        ensure!(log.lines().any(|line| line.contains("WARN") && line.contains(file)), "{file} is not named:\n{log}");
    }

    for (plugin, bad, kind) in &feeds {
        let dead = pipeline.dead_letters(plugin);
        wait::until_true("dead letters", PATIENCE, || Ok(dead.count()? >= GOOD / EVERY))
            .with_context(|| format!("{plugin}:\n{}", host.log()))?;
        check_dead_letters(&dead, bad, kind).with_context(|| format!("the dead letters of {plugin}"))?;
        check_trades(&pipeline.trades(plugin)).with_context(|| format!("the trades of {plugin}"))?;
    }
    ensure!(host.metric("tapedeck_reconnects_total", "binance")? == 0);
    ensure!(host.metric("tapedeck_refusals_total", "binance").is_err(), "a good feed was refused something");
    host.stop_well()?;
    ensure!(pipeline.trades("binance").count()? == truth.len() as u64);
    Ok(())
}

/// Every bad frame is there once, byte for byte, of the right kind, and nothing else.
fn check_dead_letters(topic: &Topic, bad: &[&str], kind: &str) -> Result<()> {
    let letters = topic.records()?;
    let expected: BTreeSet<Vec<u8>> = (1..=GOOD / EVERY)
        .zip(bad.iter().cycle())
        .map(|(n, marker)| format!("{marker},{}", n * EVERY).into_bytes())
        .collect();
    for letter in &letters {
        let text = String::from_utf8_lossy(&letter.payload);
        let reason = letter.header("reason")?;
        ensure!(expected.contains(&letter.payload), "a good frame was refused: {text}: {reason}");
        ensure!(letter.header("kind")? == kind, "{text} is of kind {}: {reason}", letter.header("kind")?);
        ensure!(!reason.is_empty() && letter.header("plugin-version")? == "0.1.0");
    }
    let found: BTreeSet<Vec<u8>> = letters.iter().map(|letter| letter.payload.clone()).collect();
    ensure!(found == expected && letters.len() == expected.len(), "{} of {} frames", letters.len(), expected.len());
    println!("{}: {}", topic.name(), letters.first().map_or("", |letter| letter.header("reason").unwrap_or_default()));
    Ok(())
}

/// Every good trade is there, once.
fn check_trades(topic: &Topic) -> Result<()> {
    let mut ids = Vec::new();
    for record in topic.records()? {
        ids.push(record.json()?["order"].as_u64().context("a trade without an order")?);
    }
    ids.sort_unstable();
    ensure!(ids == (1..=GOOD).collect::<Vec<_>>(), "{} trades, not {GOOD}: {ids:?}", ids.len());
    Ok(())
}

fn copy_all(from: &Path, to: &Path) -> Result<()> {
    for entry in std::fs::read_dir(from)? {
        let file = entry?.path();
        if let (Some("wasm"), Some(name)) = (file.extension().and_then(|ext| ext.to_str()), file.file_name()) {
            std::fs::copy(&file, to.join(name))?;
        }
    }
    Ok(())
}
