//! How much the pipeline carries on this machine: a simulated exchange at full speed, through host and Kafka into gold.
//!
//! Every part is a process of its own, so that each one's processor time and memory are its own as well.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use xtask::stack::usage::{Usage, usage};
use xtask::stack::{Client, Stack, StackOptions};

use crate::host::Host;
use crate::pipeline::Pipeline;
use crate::publisher::Publisher;
use crate::wait;

/// How long ClickHouse may take to catch up.
const CATCH_UP: Duration = Duration::from_secs(1800);

const MARKETS: [&str; 4] = ["BTC/USDT", "ETH/USDT", "SOL/USDT", "XRP/USDT"];

/// What a load is.
#[derive(Debug, Clone)]
pub struct Load {
    /// Trades a second, or `max`.
    pub rate: String,
    /// For how long trades are published.
    pub duration: Duration,
}

/// A process of the pipeline and what it used.
#[derive(Debug)]
struct Part {
    name: &'static str,
    pid: u32,
    before: Usage,
}

impl Part {
    fn new(name: &'static str, pid: u32) -> Result<Self> {
        Ok(Self { name, pid, before: usage(pid).with_context(|| format!("{name} is gone"))? })
    }

    /// A line of the report: processor time and memory since the beginning.
    fn line(&self, span: Duration, frames: u64) -> String {
        let Some(now) = usage(self.pid) else { return format!("{:<12} is gone", self.name) };
        let cpu = now.cpu.saturating_sub(self.before.cpu).as_secs_f64();
        format!(
            "{:<12} {:>6.1} s CPU, {:>5.1} % of a core, {:>6.2} µs a frame, {:>5} MB",
            self.name,
            cpu,
            100.0 * cpu / span.as_secs_f64(),
            1e6 * cpu / frames.max(1) as f64,
            now.memory >> 20
        )
    }
}

/// Runs a load and prints what it found.
///
/// # Errors
/// A part does not start, or trades are missing at the far end.
pub fn run(load: &Load) -> Result<()> {
    let stack = Stack::start(&StackOptions { optimised: true, ..StackOptions::default() })?;
    let publisher = Publisher::start("binance", &MARKETS, &load.rate, &[])?;
    let pipeline = Pipeline::new("load", &stack)?.with_feed("binance", &MARKETS, &publisher.websocket, &publisher.rest);
    pipeline.command(&["topics", "apply"])?.success()?;
    pipeline.apply_sql()?;
    let mut host = pipeline.start_host()?;
    host.wait_ready()?;

    let parts = [
        Part::new("simulator", publisher.pid())?,
        Part::new("host", host.pid())?,
        Part::new("Kafka", stack.kafka().pid())?,
        Part::new("ClickHouse", stack.clickhouse().pid())?,
    ];
    let began = Instant::now();
    publisher.tell("start")?;
    std::thread::sleep(load.duration);
    publisher.tell("stop")?;
    let trades = publisher.trades()?;
    host.wait_for_trades("binance", trades, Duration::from_secs(120))?;
    let (into_kafka, frames) = (began.elapsed(), host.metric("tapedeck_frames_total", "binance")?);
    report("into Kafka", frames, into_kafka, &parts);
    println!("p50 and p99 of Kafka's acknowledgement: {}", latencies(&host)?);

    let client = &pipeline.client;
    let gold = || gold_trades(client, &pipeline.database);
    wait::until_true("all trades in gold", CATCH_UP, || Ok(gold()? >= trades))?;
    report("into gold", frames, began.elapsed(), &parts);
    host.stop_well()?;
    let silver = client.count(&format!("SELECT count() FROM {}.silver_trades FINAL", pipeline.database))?;
    ensure!(
        silver == trades && gold()? == trades,
        "{trades} trades published, {silver} in silver, {} in gold",
        gold()?
    );
    println!("{trades} trades published, {silver} in silver, {} in gold", gold()?);
    Ok(())
}

fn report(what: &str, frames: u64, span: Duration, parts: &[Part]) {
    let rate = frames as f64 / span.as_secs_f64();
    println!("\n{what}: {frames} frames in {:.1} s, {rate:.0} frames/s", span.as_secs_f64());
    for part in parts {
        println!("  {}", part.line(span, frames));
    }
}

fn gold_trades(client: &Client, database: &str) -> Result<u64> {
    client.count(&format!("SELECT sum(trades) FROM {database}.ohlcv_1m"))
}

/// The upper bounds of the histogram's buckets that hold the median and the 99th of a hundred.
fn latencies(host: &Host) -> Result<String> {
    let (_, text) = host.get("/metrics")?;
    let mut buckets = Vec::new();
    for line in text.lines().filter(|line| line.starts_with("tapedeck_produce_seconds_bucket{")) {
        let bound = line.split("le=\"").nth(1).and_then(|rest| rest.split('"').next()).unwrap_or_default();
        let count: u64 = line.rsplit(' ').next().unwrap_or_default().parse()?;
        buckets.push((bound.to_owned(), count));
    }
    let all = buckets.last().map_or(0, |(_, count)| *count);
    let at = |hundredths: u64| {
        let bucket = buckets.iter().find(|(_, count)| count * 100 >= all * hundredths);
        bucket.map_or("?".to_owned(), |(bound, _)| format!("at most {bound} s"))
    };
    Ok(format!("{}, {}", at(50), at(99)))
}
