//! Frames that a plugin died on, listed, shown, and decoded by a plugin that takes them.

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;
use tapedeck_tests::command::tapedeck;
use tapedeck_tests::lines::{Line, Lines};
use tapedeck_tests::pipeline::Pipeline;
use tapedeck_tests::{servers, wait};

use super::{guest, trades};

const PATIENCE: Duration = Duration::from_secs(60);

/// Each kills the plugin `traps`; behind it stands a trade.
const DEADLY: [&str; 3] = ["PANIC", "UNREACHABLE", "ABORT"];

const TIME_US: i64 = 1_723_161_255_000_000;

/// Good trades 1 to 40; after every tenth a frame that kills the plugin and holds trade 101, 102 …, and one that no plugin
/// takes, which tries what a terminal does with it.
fn script() -> Vec<Line> {
    let mut frames = Vec::new();
    let mut push = |frame: String| frames.push((frame.into_bytes(), Duration::from_millis(2)));
    for id in 1..=40 {
        push(format!("BTCUSDT,{id},64000.5,0.25,{}", TIME_US + id));
        if id % 10 == 0 {
            let marker = DEADLY[(id as usize / 10) % DEADLY.len()];
            push(format!("{marker}\nETHUSDT,{},2600.10,1.5,{}", 100 + id / 10, TIME_US + id));
            push(format!("\u{1b}[2J,{id}"));
        }
    }
    frames
}

#[test]
fn a_repaired_plugin_makes_trades_of_dead_letters() -> Result<()> {
    let server = Lines::start(script())?;
    let hostile = tempfile::tempdir()?;
    std::fs::copy(guest("traps")?, hostile.path().join("traps.wasm"))?;
    let pipeline = Pipeline::new("letters", servers::shared()?)?
        .with_plugins(hostile.path())
        .with_feed("traps", &["BTC/USDT", "ETH/USDT"], &server.websocket(), "http://127.0.0.1:1")
        .without_clickhouse();
    let mut host = pipeline.start_host()?;
    host.wait_for_trades("traps", 40, PATIENCE)?;
    let dead = pipeline.dead_letters("traps");
    wait::until_true("dead letters", PATIENCE, || Ok(dead.count()? >= 8)).with_context(|| host.log())?;
    host.stop_well()?;

    let list = listed(&pipeline)?;
    shown(&pipeline, &list)?;
    replayed(&pipeline)
}

/// All are listed, oldest first, with their reasons; the filters work.
fn listed(pipeline: &Pipeline) -> Result<Vec<Value>> {
    let json = |more: &[&str]| -> Result<Vec<Value>> {
        let arguments = [&["dead-letters", "list", "--format", "json"], more].concat();
        Ok(serde_json::from_str(&pipeline.command(&arguments)?.success()?)?)
    };
    let list = json(&[])?;
    ensure!(list.len() == 8, "{list:?}");
    ensure!(list.is_sorted_by_key(|letter| letter["received_at_us"].as_i64()), "{list:?}");
    ensure!(list.iter().filter(|letter| letter["kind"] == "trap").count() == 4, "{list:?}");
    let whole = |letter: &Value| letter["session"] == "traps-0" && letter["plugin_version"] == "0.1.0";
    ensure!(list.iter().all(whole), "{list:?}");
    ensure!(json(&["--kind", "refused"])?.len() == 4);
    ensure!(json(&["--since", "2000-01-01"])?.len() == 8 && json(&["--since", "2100-01-01"])?.is_empty());
    ensure!(json(&["--limit", "2"])? == list[6..], "the newest two");
    let table = pipeline.command(&["dead-letters", "list", "--exchange", "traps"])?.success()?;
    ensure!(table.ends_with("8 dead letters\n") && !table.contains('\u{1b}'), "{table}");
    Ok(list)
}

/// One is shown with everything escaped, and byte for byte.
fn shown(pipeline: &Pipeline, list: &[Value]) -> Result<()> {
    let letter = list.iter().find(|letter| letter["kind"] == "refused").context("none is refused")?;
    let id = letter["letter"].as_str().context("a letter without a name")?;
    let page = pipeline.command(&["dead-letters", "show", id])?.success()?;
    ensure!(page.contains("\\u{1b}[2J,10") && !page.contains('\u{1b}') && page.contains("received-at-us"), "{page}");
    let raw = pipeline.command(&["dead-letters", "show", id, "--raw"])?.success()?;
    ensure!(raw == "\u{1b}[2J,10", "{raw:?}");
    let nowhere = pipeline.command(&["dead-letters", "show", "0:999999"])?;
    ensure!(nowhere.code == Some(1) && nowhere.stderr.contains("no letter 0:999999"), "{nowhere:?}");
    Ok(())
}

fn replayed(pipeline: &Pipeline) -> Result<()> {
    let topic = pipeline.trades("traps");
    let before = trades(&topic)?;
    ensure!(before.len() == 40);
    let repaired = guest("repaired")?;
    let repaired = repaired.to_str().context("a path that is no text")?;
    let replay = ["dead-letters", "replay", "--plugin", repaired];

    let slip = pipeline.command(&replay)?;
    ensure!(slip.code == Some(64) && slip.stderr.contains("--exchange"), "{slip:?}");
    let replay = [&replay[..], &["--exchange", "traps"]].concat();
    let dry = pipeline.command(&[&replay[..], &["--dry-run"]].concat())?.success()?;
    for part in ["8 dead letters", "repaired 0.2.0", "4 replayed: 4 trades", "dry run", "4 still refused", "refused: "]
    {
        ensure!(dry.contains(part), "no {part:?} in {dry}");
    }
    ensure!(trades(&topic)?.len() == 40, "a dry run sent something");

    // Twice: the second changes no trade.
    let mut after_one = None;
    for _ in 0..2 {
        let said = pipeline.command(&replay)?.success()?;
        ensure!(said.contains("4 trades are in Kafka"), "{said}");
        let after = trades(&topic)?;
        ensure!(after.len() == 44, "{} trades", after.len());
        ensure!(after_one.get_or_insert_with(|| after.clone()) == &after, "the second replay differs");
    }
    let after = after_one.context("no replay")?;
    for (key, trade) in &before {
        ensure!(after.get(key) == Some(trade), "{key:?} changed");
    }
    for id in 101..=104 {
        let trade = after.get(&("ETH/USDT".to_owned(), id.to_string())).with_context(|| format!("no trade {id}"))?;
        ensure!(trade["exchange"] == "traps" && trade["plugin"] == "repaired" && trade["source"] == "live", "{trade}");
        ensure!(trade["price"] == "2600.10" && trade["symbol"] == "ETHUSDT", "{trade}");
        let received = trade["received_at_us"].as_i64().context("no time")?;
        ensure!(received > TIME_US, "the time of the letter, not of the replay");
    }
    let still = pipeline.command(&["dead-letters", "replay", "--dry-run"])?.success()?;
    ensure!(still.contains("traps 0.1.0") && still.contains("0 replayed") && still.contains("trap: "), "{still}");
    let missing = tapedeck(["dead-letters", "list"])?;
    ensure!(missing.code == Some(64), "{missing:?}");
    Ok(())
}
