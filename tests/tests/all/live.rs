//! A live session of two exchanges with their usual trouble, and everything that an operator asks while it runs.

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use tapedeck_sim::{Exchange as Protocol, FaultRates, Rate, SimulatorOptions};
use tapedeck_tests::exchange::Exchange;
use tapedeck_tests::host::Host;
use tapedeck_tests::pipeline::Pipeline;
use tapedeck_tests::servers;
use xtask::truth::{Candle, Candles, Interval, Sum};

const PATIENCE: Duration = Duration::from_secs(60);

const BINANCE: [&str; 3] = ["BTC/USDT", "ETH/USDT", "SOL/USDT"];
const KRAKEN: [&str; 2] = ["BTC/USD", "ETH/USD"];

/// Faults that lose nothing: one frame in twenty comes twice, one in fifty late, one in two hundred damaged beside its good
/// self, one order in a hundred with the time of hours ago.
fn exchange(protocol: Protocol, markets: &[&str], seed: u64) -> Result<Exchange> {
    let mut options =
        SimulatorOptions::new(protocol).with_markets(markets.iter().copied()).map_err(anyhow::Error::msg)?;
    options.seed = seed;
    options.trades = Some(2_500);
    options.rate = Rate::PerSecond(250);
    options.wait_for_subscribers = markets.len();
    options.faults =
        FaultRates { duplicate: 50_000, reorder: 20_000, malformed: 5_000, late: 10_000, ..FaultRates::default() };
    Exchange::start(options)
}

/// Seeds 47 and 53.
#[test]
fn two_exchanges_with_faults() -> Result<()> {
    let binance = exchange(Protocol::Binance, &BINANCE, 47)?;
    let kraken = exchange(Protocol::Kraken, &KRAKEN, 53)?;
    let pipeline = Pipeline::new("live", servers::shared()?)?
        .with_exchange("binance", &BINANCE, &binance)
        .with_exchange("kraken", &KRAKEN, &kraken);
    before_anything_is_made(&pipeline)?;
    pipeline.command(&["topics", "apply"])?.success()?;
    pipeline.apply_sql()?;
    everything_is_made(&pipeline)?;

    let mut host = pipeline.start_host()?;
    host.wait_ready()?;
    pages(&host)?;
    let mut truth = binance.truth()?;
    for (name, exchange) in [("binance", &binance), ("kraken", &kraken)] {
        exchange.wait_until_finished(PATIENCE)?;
        truth = merge(truth, exchange)?;
        let trades = exchange.truth()?.len() as u64;
        ensure!(trades == 2_500, "{name} published {trades} trades");
        host.wait_for_trades(name, trades, PATIENCE)?;
        let damaged = exchange.status().counters.frames_malformed;
        ensure!(damaged > 0, "{name} damaged nothing");
        let refused = host.metric("tapedeck_refusals_total", name)?;
        ensure!(refused == damaged, "{name}: {refused} of {damaged} damaged frames were refused");
    }
    host.stop_well()?;
    println!("{}", pipeline.audit(&["binance", "kraken"], &truth)?);
    candles(&pipeline, &truth.candles()?)
}

fn merge(mut all: xtask::truth::Trades, exchange: &Exchange) -> Result<xtask::truth::Trades> {
    for (key, trade) in exchange.truth()?.iter() {
        all.add(key.clone(), *trade)?;
    }
    Ok(all)
}

/// `check` lists what is missing, and says what to do; `sql plan` shows it.
fn before_anything_is_made(pipeline: &Pipeline) -> Result<()> {
    let output = pipeline.command(&["check"])?;
    ensure!(output.code == Some(64), "{output:?}");
    for part in ["problem: ", "topic", "tapedeck sql apply"] {
        ensure!(output.stdout.contains(part), "no {part:?} in\n{}", output.stdout);
    }
    let planned = pipeline.command(&["sql", "plan"])?;
    ensure!(planned.stdout.contains("bronze_trades_kraken"), "{planned:?}");
    Ok(())
}

fn everything_is_made(pipeline: &Pipeline) -> Result<()> {
    let output = pipeline.command(&["check"])?;
    ensure!(output.code == Some(0) && output.stdout.contains("no problems"), "{output:?}");
    pipeline.command(&["sql", "status"])?.success()?;
    // A second time changes nothing.
    pipeline.apply_sql()
}

fn pages(host: &Host) -> Result<()> {
    ensure!(host.get("/health")?.0 == 200);
    let (status, text) = host.get("/ready")?;
    ensure!(status == 200 && text.contains("kafka: ready"), "{status} {text}");
    ensure!(text.contains("binance-0: live") && text.contains("kraken-0: live"), "{text}");
    ensure!(host.get("/nowhere")?.0 == 404);
    let (status, text) = host.get("/metrics")?;
    ensure!(status == 200 && text.ends_with("# EOF\n"), "{status} {text}");
    for name in [
        "tapedeck_frames_total{exchange=\"kraken\",session=\"0\"}",
        "tapedeck_connected{exchange=\"binance\",session=\"0\"} 1",
        "tapedeck_decode_seconds_bucket{",
        "tapedeck_produce_seconds_count{",
        "tapedeck_records_in_flight ",
        "tapedeck_delivery_retries_total 0",
    ] {
        ensure!(text.contains(name), "no {name} in\n{text}");
    }
    Ok(())
}

/// The three formats of `tapedeck candles` have the truth's candles, every digit of them.
fn candles(pipeline: &Pipeline, truth: &Candles) -> Result<()> {
    for interval in [Interval::OneMinute, Interval::OneHour, Interval::OneDay] {
        let expected: Vec<(i64, Candle)> = truth
            .iter()
            .filter(|(key, _)| key.interval == interval && key.exchange == "kraken" && key.market == "ETH/USD")
            .map(|(key, candle)| (key.bucket, *candle))
            .collect();
        ensure!(!expected.is_empty());
        let ask = |format: &str| {
            let name = interval.name();
            let limit = ["candles", "ETH/USD", "--exchange", "kraken", "--interval", name, "--format", format];
            pipeline.command(&[&limit[..], &["--limit", "1000"]].concat())?.success()
        };
        let json: Vec<serde_json::Value> = serde_json::from_str(&ask("json")?)?;
        ensure!(json.len() == expected.len(), "{} candles, not {}", json.len(), expected.len());
        let (csv, table) = (ask("csv")?, ask("table")?);
        let mut rows = csv::Reader::from_reader(csv.as_bytes());
        let columns = rows.headers()?.clone();
        for ((row, object), (bucket, candle)) in rows.records().zip(&json).zip(&expected) {
            let row = row?;
            for (column, value) in columns.iter().zip(&row) {
                let of_json = object[column].as_str().map_or_else(|| object[column].to_string(), str::to_owned);
                ensure!(of_json == value, "{column} is {of_json} in JSON and {value} in CSV");
                ensure!(table.contains(value), "no {value} in\n{table}");
            }
            let start = seconds(object["bucket"].as_str().context("a candle without a bucket")?)?;
            ensure!(start == *bucket && parse(object)? == *candle, "{object} is not {candle:?} of {bucket}");
        }
    }
    let unknown = pipeline.command(&["candles", "ETH/USDX", "--exchange", "kraken"])?;
    ensure!(unknown.code == Some(1) && unknown.stderr.contains("ETH/USD"), "{unknown:?}");
    Ok(())
}

fn parse(object: &serde_json::Value) -> Result<Candle> {
    let text = |key: &str| object[key].as_str().with_context(|| format!("{key} is not text in {object}"));
    let sum = |key: &str| -> Result<Sum> { text(key)?.parse() };
    Ok(Candle {
        open: text("open")?.parse()?,
        high: text("high")?.parse()?,
        low: text("low")?.parse()?,
        close: text("close")?.parse()?,
        volume: sum("volume")?,
        quote_volume: sum("quote_volume")?,
        trades: object["trades"].as_u64().context("trades is no number")?,
    })
}

/// Seconds since 1970 of `2024-08-08T23:54:00Z`.
fn seconds(text: &str) -> Result<i64> {
    let time: jiff::Timestamp = text.parse()?;
    Ok(time.as_second())
}
