//! A long time without Kafka: the host's memory stays within its bound, and nothing is lost when Kafka is back.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use xtask::stack::usage::usage;
use xtask::stack::{Stack, StackOptions};

use super::plan::Venue;
use super::stage::{self, BINANCE};
use crate::exchange::Exchange;
use crate::pipeline::Pipeline;
use crate::{programs, wait};

/// Trades flow for so long before Kafka goes and after it is back.
const AROUND: Duration = Duration::from_secs(10);

/// How long everything may take to be in silver once Kafka is back: as long as the outage, and this.
const CATCH_UP: Duration = Duration::from_secs(300);

/// What the host may hold in memory beyond what it had before, in bytes: its producer's queue (64 MB of records, and
/// librdkafka's own for each of 100,000), and the allocator's share.
const MORE_MEMORY: u64 = 256 << 20;

/// What is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Outage {
    /// How long Kafka is away.
    pub lasting: Duration,
    /// Trades a second.
    pub rate: u64,
    /// The exchange's seed.
    pub seed: u64,
}

/// What was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs)]
pub struct Found {
    pub published: u64,
    pub silver: u64,
    /// The host's memory before the outage and at most, in bytes.
    pub memory_before: u64,
    pub most_memory: u64,
    /// From Kafka's return until all was in silver.
    pub caught_up_in: Duration,
}

/// Runs it.
///
/// # Errors
/// A trade is lost or there twice, the host's memory left its bound, or the rest took too long.
pub fn run(outage: &Outage) -> Result<Found> {
    programs::folder()?;
    println!("{} s without Kafka at {} trades a second, seed {}", outage.lasting.as_secs(), outage.rate, outage.seed);
    let stack = Stack::start(&StackOptions { optimised: true, ..StackOptions::default() })?;
    let exchange = stage::exchange(Venue::Binance, outage.seed, outage.rate, false)?;
    let spool = tempfile::tempdir()?;
    let pipeline = Pipeline::new("without_kafka", &stack)?
        .with("spool", &format!("folder = {:?}\nmax_mb = 16384", spool.path()))
        .with_exchange(Venue::Binance.name(), &BINANCE, &exchange);
    pipeline.command(&["topics", "apply"])?.success()?;
    pipeline.apply_sql()?;
    let mut host = pipeline.start_host()?;
    host.wait_ready()?;
    std::thread::sleep(AROUND);

    let memory = || Ok::<_, anyhow::Error>(usage(host.pid()).context("the host is gone")?.memory);
    let memory_before = memory()?;
    let mut most_memory = memory_before;
    stack.kafka().kill9()?;
    let (began, mut said) = (Instant::now(), Instant::now());
    while began.elapsed() < outage.lasting {
        std::thread::sleep(Duration::from_millis(200));
        most_memory = most_memory.max(memory()?);
        if said.elapsed() > Duration::from_secs(30) {
            said = Instant::now();
            let published = exchange.status().counters.trades;
            println!("{:>5} s: {published} trades, the host has {} MB", began.elapsed().as_secs(), memory()? >> 20);
        }
    }
    stack.kafka().restart()?;
    let back = Instant::now();
    std::thread::sleep(AROUND);
    exchange.simulator().stop_publishing();
    let published = totals(&exchange);
    let silver = || pipeline.client.query(&totals_of_silver(&pipeline.database));
    let patience = outage.lasting + CATCH_UP;
    let waited = wait::until_true("every trade in silver", patience, || {
        most_memory = most_memory.max(memory()?);
        std::thread::sleep(Duration::from_secs(1));
        Ok(silver()? == published)
    });
    waited.with_context(|| {
        format!("published:\n{published}\nsilver:\n{}\n{}", silver().unwrap_or_default(), host.log())
    })?;
    let count = |sql: &str| pipeline.client.count(&sql.replace("{db}", &pipeline.database));
    let found = Found {
        published: exchange.status().counters.trades,
        silver: count("SELECT count() FROM {db}.silver_trades FINAL")?,
        memory_before,
        most_memory,
        caught_up_in: back.elapsed(),
    };
    println!("{found:?}");
    if most_memory > memory_before + MORE_MEMORY {
        bail!("the host had {} MB, {} MB before the outage", most_memory >> 20, memory_before >> 20);
    }
    wait::until_true("every trade in a candle", CATCH_UP, || {
        Ok(count("SELECT sum(trades) FROM {db}.ohlcv_1m")? == found.published)
    })?;
    host.stop_well()?;
    ensure!(found.silver == found.published, "{found:?}");
    Ok(found)
}

/// For each market: trades, first and last id, and sums of times and of quantities, as [`totals_of_silver`] gives them. Ids
/// are dense, so that equal counts and ends mean equal ids.
fn totals(exchange: &Exchange) -> String {
    let truth = exchange.simulator().truth();
    let mut text = String::new();
    for market in truth.chunk_by(|a, b| a.canonical_symbol == b.canonical_symbol) {
        let (first, last) = (&market[0], &market[market.len() - 1]);
        let times: i128 = market.iter().map(|truth| i128::from(truth.trade.timestamp_us)).sum();
        let quantities: u128 = market.iter().map(|truth| u128::from(truth.trade.quantity)).sum();
        let (name, count) = (&first.canonical_symbol, market.len());
        let (first, last) = (first.trade.id, last.trade.id);
        text.push_str(&format!("{name}\t{count}\t{count}\t{first}\t{last}\t{times}\t{quantities}\n"));
    }
    let mut lines: Vec<&str> = text.lines().collect();
    lines.sort_unstable();
    lines.join("\n") + "\n"
}

fn totals_of_silver(database: &str) -> String {
    format!(
        "SELECT canonical_symbol, count(), uniqExact(trade_id), min(order), max(order), \
         sum(toInt128(toUnixTimestamp64Micro(timestamp))), toInt256(sum(quantity) * 100000000) \
         FROM {database}.silver_trades FINAL GROUP BY canonical_symbol ORDER BY canonical_symbol FORMAT TabSeparated"
    )
}
