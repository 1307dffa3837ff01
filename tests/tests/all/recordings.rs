//! Recorded sockets, replayed by the simulator through the whole pipeline, give the candles that their trades make.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use fastrand::Rng;
use tapedeck_sim::{Exchange as Protocol, FaultRates, SimulatorOptions, Source};
use tapedeck_tests::exchange::Exchange;
use tapedeck_tests::pipeline::Pipeline;
use tapedeck_tests::{recorded, servers, tape};
use xtask::truth::{Interval, Trades};

const PATIENCE: Duration = Duration::from_secs(120);

/// Distinct trades in the two recordings, as was counted when they were made.
const ETH_USDT_TRADES: usize = 14_515;

fn replay(source: Source, faults: FaultRates) -> Result<Exchange> {
    let mut options = SimulatorOptions::new(Protocol::Binance);
    options.source = source;
    options.faults = faults;
    options.wait_for_subscribers = 1;
    Exchange::start(options)
}

#[test]
fn eth_usdt_across_midnight() -> Result<()> {
    let Some(folder) = recorded::folder("eth_usdt_across_midnight") else { return Ok(()) };
    let files = recorded::eth_usdt(&folder);
    let truth = recorded::binance_trades(&files, "ETH/USDT")?;
    ensure!(truth.len() == ETH_USDT_TRADES, "the recordings hold {} trades", truth.len());

    let exchange = replay(Source::Recordings(files), FaultRates::default())?;
    let pipeline = Pipeline::new("eth_usdt", servers::shared()?)?.with_exchange("binance", &["ETH/USDT"], &exchange);
    pipeline.apply_sql()?;
    let mut host = pipeline.start_host()?;
    exchange.wait_until_finished(PATIENCE).with_context(|| host.log())?;
    host.wait_for_trades("binance", ETH_USDT_TRADES as u64, PATIENCE)?;
    host.stop_well()?;
    let topic = pipeline.trades("binance");
    ensure!(topic.count()? == ETH_USDT_TRADES as u64, "Kafka holds {} records", topic.count()?);
    let report = pipeline.audit(&["binance"], &truth)?;
    println!("{report}");
    ensure!(report.silver == ETH_USDT_TRADES as u64);
    ensure!(exchange.truth()? == truth, "the simulator's truth is not that of the files");

    // Everything once more, in disorder, and with it a second copy of every other trade, a microsecond off.
    let mut rng = Rng::with_seed(20_240_808);
    let mut again = topic.records()?;
    let copies: Vec<_> = again
        .iter()
        .step_by(2)
        .map(|record| tape::second_copy(record, rng.i64(0..2) * 2 - 1))
        .collect::<Result<_>>()?;
    again.extend(copies);
    rng.shuffle(&mut again);
    topic.produce(&again)?;
    println!("{}", pipeline.audit(&["binance"], &truth)?);
    Ok(())
}

/// Seed 5: one frame in twenty comes twice, another one in twenty comes late.
#[test]
fn eth_usdt_with_frames_repeated_and_reordered() -> Result<()> {
    let Some(folder) = recorded::folder("eth_usdt_with_frames_repeated_and_reordered") else { return Ok(()) };
    let files = recorded::eth_usdt(&folder);
    let truth = recorded::binance_trades(&files, "ETH/USDT")?;
    let faults = FaultRates { duplicate: 50_000, reorder: 50_000, ..FaultRates::default() };
    let exchange = replay(Source::Recordings(files), faults)?;
    let pipeline = Pipeline::new("repeated", servers::shared()?)?.with_exchange("binance", &["ETH/USDT"], &exchange);
    pipeline.apply_sql()?;
    let mut host = pipeline.start_host()?;
    exchange.wait_until_finished(PATIENCE).with_context(|| host.log())?;
    host.wait_for_trades("binance", truth.len() as u64, PATIENCE)?;
    let repeated = exchange.status().counters.frames_duplicated;
    ensure!((400..1_100).contains(&repeated), "{repeated} frames were repeated, not one in twenty");
    let duplicates = host.metric("tapedeck_duplicates_total", "binance")?;
    ensure!(duplicates == repeated, "the host dropped {duplicates} of {repeated} repeated trades");
    host.stop_well()?;
    println!("{}", pipeline.audit(&["binance"], &truth)?);
    Ok(())
}

/// Candles that somebody else made of the same trades.
#[test]
fn xrp_eth_gives_the_candles_of_the_file() -> Result<()> {
    let Some(folder) = recorded::folder("xrp_eth_gives_the_candles_of_the_file") else { return Ok(()) };
    let folder = folder.join("candles/binance_XRPETH_201910");
    let mut options = SimulatorOptions::new(Protocol::Binance).with_markets(["XRP/ETH"]).map_err(anyhow::Error::msg)?;
    options.source = Source::TradesCsv(folder.join("trades.csv"));
    options.wait_for_subscribers = 1;
    let exchange = Exchange::start(options)?;
    let pipeline = Pipeline::new("xrp_eth", servers::shared()?)?.with_exchange("binance", &["XRP/ETH"], &exchange);
    pipeline.apply_sql()?;
    let mut host = pipeline.start_host()?;
    exchange.wait_until_finished(PATIENCE).with_context(|| host.log())?;
    let truth = exchange.truth()?;
    host.wait_for_trades("binance", truth.len() as u64, PATIENCE)?;
    host.stop_well()?;
    println!("{}", pipeline.audit(&["binance"], &truth)?);

    for (interval, file) in [(Interval::OneMinute, "candles_1m.csv"), (Interval::FiveMinutes, "candles_5m.csv")] {
        let expected = recorded::candles(&folder.join(file))?;
        let covered = covered(&truth, interval);
        let ours = candles_of(&pipeline, interval)?;
        let mut compared = 0;
        for (bucket, candle) in expected.iter().filter(|(bucket, _)| covered.contains(*bucket)) {
            ensure!(ours.get(bucket) == Some(candle), "{file}, {bucket}: {candle:?}, ours {:?}", ours.get(bucket));
            compared += 1;
        }
        println!("{file}: {compared} of {} candles compared", expected.len());
        ensure!(compared > 600 && ours.keys().filter(|bucket| covered.contains(*bucket)).count() == compared);
    }
    Ok(())
}

/// The buckets that begin after the first trade and end before the last, so that no trade of theirs can be missing.
fn covered(truth: &Trades, interval: Interval) -> std::ops::Range<i64> {
    let times = || truth.iter().map(|(_, trade)| trade.timestamp_us.div_euclid(1_000_000));
    let (first, last) = (times().min().unwrap_or_default(), times().max().unwrap_or_default());
    let seconds = interval.seconds();
    first.div_euclid(seconds) * seconds + seconds..last.div_euclid(seconds) * seconds
}

fn candles_of(pipeline: &Pipeline, interval: Interval) -> Result<BTreeMap<i64, recorded::ForeignCandle>> {
    let sql = format!(
        "SELECT toUnixTimestamp(bucket), toString(open), toString(high), toString(low), toString(close), \
         toString(volume) FROM {}.ohlcv_{}",
        pipeline.database,
        interval.name()
    );
    let mut candles = BTreeMap::new();
    pipeline.client.lines(&sql, |line| {
        let fields: Vec<&str> = line.split('\t').collect();
        let [bucket, open, high, low, close, volume] = fields[..] else { anyhow::bail!("no candle: {line}") };
        let prices = [open.parse()?, high.parse()?, low.parse()?, close.parse()?];
        candles.insert(bucket.parse()?, (prices, volume.parse()?));
        Ok(())
    })?;
    Ok(candles)
}
