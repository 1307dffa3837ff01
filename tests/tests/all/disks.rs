//! Disks that are full or cannot be written, for real: the host has a small one of its own, in a mount namespace.

use std::fs;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use tapedeck_sim::{Exchange as Protocol, Fault, Rate, SimulatorOptions};
use tapedeck_tests::audit::received;
use tapedeck_tests::command::{Output, tapedeck};
use tapedeck_tests::disk::Disk;
use tapedeck_tests::exchange::Exchange;
use tapedeck_tests::host::Host;
use tapedeck_tests::pipeline::Pipeline;
use tapedeck_tests::{programs, servers, wait};

const PATIENCE: Duration = Duration::from_secs(60);

const MARKETS: [&str; 2] = ["BTC/USDT", "ETH/USDT"];

fn exchange(seed: u64, trades: Option<u64>, a_second: u64) -> Result<Exchange> {
    let mut options = SimulatorOptions::new(Protocol::Binance).with_markets(MARKETS).map_err(anyhow::Error::msg)?;
    options.seed = seed;
    options.trades = trades;
    options.rate = Rate::PerSecond(a_second);
    options.wait_for_subscribers = MARKETS.len();
    Exchange::start(options)
}

/// How many files of this extension a folder holds.
fn files(folder: &Path, extension: &str) -> Result<usize> {
    fs::read_dir(folder)?.try_fold(0, |count, entry| {
        let matches = entry?.path().extension().is_some_and(|other| other == extension);
        Ok(count + usize::from(matches))
    })
}

fn times_said(host: &Host, text: &str) -> usize {
    host.log().matches(text).count()
}

/// Waits until every trade of the exchange is in Kafka.
fn wait_for_all(pipeline: &Pipeline, exchange: &Exchange, host: &Host) -> Result<()> {
    let truth = exchange.truth()?;
    let all = || Ok(received(&pipeline.trades("binance").records()?, &truth)?.len() == truth.len());
    wait::until_true("every trade in Kafka", PATIENCE, all).with_context(|| host.log())
}

/// Seed 107. Kafka is away for longer than the disk has room. While the host does not read, the exchange cuts it.
#[test]
fn a_full_disk_stops_reading_and_nothing_is_lost() -> Result<()> {
    let Some(disk) = Disk::new("size=2m")? else { return Ok(()) };
    let stack = servers::own()?;
    stack.clickhouse().stop()?;
    let exchange = exchange(107, None, 1_500)?;
    let pipeline = Pipeline::new("disk_spool", &stack)?
        .with_exchange("binance", &MARKETS, &exchange)
        .with("backfill", "patience_ms = 500")
        .with("kafka", "queue_messages = 1000")
        .with("spool", &format!("folder = {:?}", disk.folder()));
    let mut host = pipeline.start_host_on(&disk)?;
    host.wait_for_trades("binance", 500, PATIENCE)?;
    stack.kafka().kill9()?;
    host.wait_for_log("the spool takes no more: sessions stop reading until Kafka is back", PATIENCE)?;
    ensure!(host.log().contains("No space left on device"), "{}", host.log());
    std::thread::sleep(Duration::from_secs(1));
    let (accepted, published) = (host.metric("tapedeck_trades_total", "binance")?, exchange.status().counters.trades);
    exchange.inject(Fault::Cut)?;
    let on = || Ok(exchange.status().counters.trades > published + 1_000);
    wait::until_true("more trades", PATIENCE, on)?;
    let more = host.metric("tapedeck_trades_total", "binance")? - accepted;
    ensure!(more == 0, "{more} trades were accepted on a full disk");

    stack.kafka().restart()?;
    host.wait_for_log("records go to Kafka directly", PATIENCE)?;
    host.wait_for_trades("binance", exchange.status().counters.trades, PATIENCE)?;
    exchange.simulator().stop_publishing();
    wait::until_true("quiet", PATIENCE, || Ok(!exchange.status().running))?;
    wait_for_all(&pipeline, &exchange, &host)?;
    let segments = || files(&disk.of(host.pid()), "spool");
    wait::until_true("an empty spool", PATIENCE, || Ok(segments()? == 0)).with_context(|| host.log())?;
    for text in ["records go to the spool", "the spool takes no more", "records go to Kafka directly"] {
        ensure!(times_said(&host, text) == 1, "\"{text}\" is not said once:\n{}", host.log());
    }
    let lost = host.metric("tapedeck_reconnects_total", "binance")?;
    host.stop_well()?;
    let records = pipeline.trades("binance").records()?;
    let backfilled = records.iter().filter(|record| record.json().is_ok_and(|trade| trade["source"] == "backfill"));
    let backfilled = backfilled.count();
    println!("{accepted} trades accepted until the disk was full, {backfilled} asked for afterwards");
    ensure!(lost == 1 && backfilled > 1_000, "{lost} connections lost, {backfilled} trades backfilled\n{}", host.log());
    Ok(())
}

fn replay(folder: &Path) -> Result<Output> {
    let folder = folder.to_str().context("a path that is no text")?;
    let plugin = programs::plugins()?.join("binance.wasm");
    tapedeck(["replay", folder, "--plugin", plugin.to_str().context("a path that is no text")?])
}

/// The number before these words.
fn number(text: &str, words: &str) -> Result<u64> {
    let (before, _) = text.split_once(words).with_context(|| format!("no \"{words}\" in {text}"))?;
    Ok(before.rsplit(|character: char| !character.is_ascii_digit()).next().unwrap_or_default().parse()?)
}

/// Seed 109. The disk has no more room than a segment's header takes, and later it has.
#[test]
fn a_full_disk_costs_only_the_capture() -> Result<()> {
    let Some(disk) = Disk::new("size=4m")? else { return Ok(()) };
    let exchange = exchange(109, None, 600)?;
    let pipeline = Pipeline::new("disk_capture", servers::shared()?)?
        .with_exchange("binance", &MARKETS, &exchange)
        .with("capture", &format!("folder = {:?}", disk.folder()))
        .without_clickhouse();
    let mut host = pipeline.start_host_on(&disk)?;
    let folder = disk.of(host.pid());
    let metrics = || host.get("/metrics").map(|(_, text)| text);
    let figure = |name: &str| -> Result<u64> {
        let metrics = metrics()?;
        let value = metrics.lines().find_map(|line| line.strip_prefix(name)).context(name.to_owned())?;
        Ok(value.trim().parse()?)
    };
    wait::until_true("frames in the capture", PATIENCE, || Ok(figure("tapedeck_capture_frames_total ")? > 500))?;
    disk.fill(host.pid(), 4096)?;
    let failed = "the capture cannot be written; feeds go on without it";
    wait::until_true("two attempts", PATIENCE, || Ok(times_said(&host, failed) == 2)).with_context(|| host.log())?;
    ensure!(host.log().contains("No space left on device"), "{}", host.log());
    let trades = host.metric("tapedeck_trades_total", "binance")?;
    host.wait_for_trades("binance", trades + 300, PATIENCE)?;
    let segments = files(&folder.join("binance-0"), "capture")?;
    ensure!(segments == 1, "{segments} segments: an attempt has left one");
    let there = replay(&folder)?;
    ensure!(there.code == Some(0) && !there.stdout.contains("cut off"), "{there:?}");
    let (frames, trades) = (number(&there.stdout, " frames in ")?, number(&there.stdout, " trades")?);
    ensure!(frames > 500 && trades > 500, "{there:?}");

    disk.make_room(host.pid())?;
    host.wait_for_log("the capture can be written again", PATIENCE)?;
    exchange.simulator().stop_publishing();
    let quiet = || Ok(!exchange.status().running && exchange.status().pending_bytes == 0);
    wait::until_true("quiet", PATIENCE, quiet)?;
    wait_for_all(&pipeline, &exchange, &host)?;
    let all = host.metric("tapedeck_frames_total", "binance")?;
    let settled =
        || Ok(figure("tapedeck_capture_frames_total ")? + figure("tapedeck_capture_lost_frames_total ")? == all);
    wait::until_true("every frame captured or counted as lost", PATIENCE, settled)?;
    let (lost, there) = (figure("tapedeck_capture_lost_frames_total ")?, replay(&folder)?);
    let (captured, missing) = (number(&there.stdout, " frames in ")?, number(&there.stdout, " frames are missing")?);
    println!("{all} frames, {captured} captured, {missing} missing by the capture's own words, {lost} by the figure");
    ensure!(missing == lost && lost > 0 && captured + missing == all, "{there:?}");
    ensure!(captured > frames && !there.stdout.contains("segments are missing"), "{there:?}");
    host.stop_well()
}

/// Seed 113. A spool that cannot be written is refused at the start; a capture that cannot be costs nothing but itself.
#[test]
fn a_read_only_disk_is_said() -> Result<()> {
    let Some(disk) = Disk::new("ro")? else { return Ok(()) };
    let exchange = exchange(113, Some(1_000), 500)?;
    let pipeline = |name: &str| {
        let pipeline = Pipeline::new(name, servers::shared()?)?.with_exchange("binance", &MARKETS, &exchange);
        anyhow::Ok(pipeline.without_clickhouse())
    };
    let folder = format!("folder = {:?}", disk.folder());
    let spooling = pipeline("read_only_spool")?.with("spool", &folder);
    let mut host = spooling.start_host_on(&disk)?;
    let status = host.wait_for_end()?;
    ensure!(status.code() == Some(64), "{status}: {}", host.log());
    ensure!(host.log().contains("([spool] folder): Read-only file system"), "{}", host.log());

    let capturing = pipeline("read_only_capture")?.with("capture", &folder);
    let mut host = capturing.start_host_on(&disk)?;
    host.wait_for_log("the capture cannot be written; feeds go on without it", PATIENCE)?;
    ensure!(host.log().contains("Read-only file system"), "{}", host.log());
    exchange.wait_until_finished(PATIENCE)?;
    wait_for_all(&capturing, &exchange, &host)?;
    host.stop_well()
}
