//! What is left when all is quiet: silver and candles against what was published, Kafka, and what completeness says.

use std::collections::{BTreeMap, HashSet};
use std::fmt;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use serde_json::Value;
use xtask::truth::{Report, TradeKey, Trades, compare};

use super::dead_letters::Letters;
use super::plan::Venue;
use super::stage::Stage;
use super::{Chaos, topics};
use crate::pipeline::Pipeline;
use crate::wait;

const LOOK: Duration = Duration::from_secs(1);

/// How long completeness may take behind silver.
const COMPLETE: Duration = Duration::from_secs(90);

/// How many ranges of lost ids are said.
const RANGES: usize = 12;

/// What a run found.
#[derive(Clone, Debug, Default)]
#[expect(missing_docs)]
pub struct Figures {
    /// Distinct trades that were published.
    pub published: u64,
    /// Silver and candles against that.
    pub report: Report,
    /// Trades that silver FINAL has more than once.
    pub twice: u64,
    /// Trades of silver that came by backfill.
    pub backfilled: u64,
    /// Committed records in Kafka, and those among them that repeat a trade.
    pub records: u64,
    pub repeated: u64,
    pub letters: Letters,
    /// Markets and hours by state; nothing where the database has no such view.
    pub completeness: BTreeMap<String, u64>,
    /// The most memory that the host had, in bytes.
    pub most_memory: u64,
    /// From the end of publishing to this verdict.
    pub settled_in: Duration,
    /// Requests that came while REST had said to wait.
    pub rest_too_early: u64,
    pub rest_requests: u64,
    /// The first ranges of ids that are lost.
    pub lost: Vec<String>,
}

/// Ends publishing, waits until all is equal or time is up, and looks.
pub(super) fn settle(chaos: &Chaos, stage: &mut Stage<'_, '_>, letters: Letters) -> Result<Figures> {
    let venues = [Venue::Binance, Venue::Kraken];
    for venue in venues {
        stage.exchange(venue).simulator().stop_publishing();
    }
    let quiet = |venue: &Venue| {
        let status = stage.exchange(*venue).status();
        !status.running && status.pending_bytes == 0
    };
    wait::until_true("the end of publishing", Duration::from_secs(30), || Ok(venues.iter().all(quiet)))?;
    stage.say("publishing ends");
    let truth = stage.truth()?;
    let (client, database) = (&stage.pipeline().client, &stage.pipeline().database);
    let began = Instant::now();
    let mut report;
    loop {
        let silver = client.count(&format!("SELECT count() FROM {database}.silver_trades FINAL"))?;
        let over = began.elapsed() > chaos.settle;
        if silver == truth.len() as u64 || over {
            report = compare(client, database, &truth)?;
            if report.is_clean() || over {
                break;
            }
        }
        stage.pass(LOOK)?;
    }
    let lost = if report.missing > 0 { lost_ranges(stage.pipeline(), &truth)? } else { Vec::new() };
    report.examples.truncate(RANGES);
    let mut figures = Figures {
        published: truth.len() as u64,
        twice: client.count(&format!(
            "SELECT count() - uniqExact(exchange, canonical_symbol, trade_id) FROM {database}.silver_trades FINAL"
        ))?,
        backfilled: client
            .count(&format!("SELECT countIf(source = 'backfill') FROM {database}.silver_trades FINAL"))?,
        report,
        letters,
        settled_in: began.elapsed(),
        lost,
        ..Figures::default()
    };
    figures.completeness = completeness(stage.pipeline())?;
    stage.stop_host()?;
    for venue in venues {
        let counters = stage.exchange(venue).status().counters;
        figures.rest_too_early += counters.rest_too_early;
        figures.rest_requests += counters.rest_requests;
        let (records, repeated) = repeated(&stage.stack().kafka, stage.pipeline().trades(venue.name()).name())?;
        figures.records += records;
        figures.repeated += repeated;
    }
    figures.most_memory = stage.most_memory;
    Ok(figures)
}

/// Ranges of ids of the truth that silver has not.
fn lost_ranges(pipeline: &Pipeline, truth: &Trades) -> Result<Vec<String>> {
    let mut silver = HashSet::new();
    let sql = format!("SELECT exchange, canonical_symbol, trade_id FROM {}.silver_trades", pipeline.database);
    pipeline.client.lines(&sql, |line| {
        silver.insert(line.to_owned());
        Ok(())
    })?;
    let line = |key: &TradeKey| format!("{}\t{}\t{}", key.exchange, key.market, key.id);
    let mut missing: BTreeMap<(&str, &str), Vec<(u64, i64)>> = BTreeMap::new();
    for (key, trade) in truth.iter().filter(|(key, _)| !silver.contains(&line(key))) {
        missing.entry((&key.exchange, &key.market)).or_default().push((key.order(), trade.timestamp_us));
    }
    let mut ranges = Vec::new();
    for ((exchange, market), mut trades) in missing {
        trades.sort_unstable();
        for range in trades.chunk_by(|a, b| a.0 + 1 == b.0) {
            let (first, last) = (range[0], range[range.len() - 1]);
            let time = jiff::Timestamp::from_microsecond(first.1)?;
            ranges.push(format!("{exchange} {market}: {} trades, {} to {}, from {time}", range.len(), first.0, last.0));
        }
    }
    Ok(ranges)
}

/// Committed records of a topic of trades, and how many of them repeat one.
fn repeated(brokers: &str, topic: &str) -> Result<(u64, u64)> {
    let (mut records, mut seen) = (0, HashSet::new());
    topics::read(brokers, topic, |key, payload| {
        let value: Value = serde_json::from_slice(payload).context("a record is not JSON")?;
        records += 1;
        seen.insert((key.to_vec(), value["trade_id"].to_string()));
        Ok(())
    })?;
    Ok((records, records - seen.len() as u64))
}

/// Markets and hours by state, once all are complete or the time for that is over.
fn completeness(pipeline: &Pipeline) -> Result<BTreeMap<String, u64>> {
    let (client, database) = (&pipeline.client, &pipeline.database);
    let there = format!("SELECT count() FROM system.tables WHERE database = '{database}' AND name = 'completeness'");
    if client.count(&there)? == 0 {
        return Ok(BTreeMap::new());
    }
    let mut states = BTreeMap::new();
    // What it says at the end of the time is what counts.
    let _ = wait::until_true("completeness", COMPLETE, || {
        states.clear();
        client.lines(
            &format!("SELECT toString(state), count() FROM {database}.completeness GROUP BY state"),
            |line| {
                let (state, count) = line.split_once('\t').context("not two columns")?;
                states.insert(state.to_owned(), count.parse()?);
                Ok(())
            },
        )?;
        // Hours are counted some seconds behind silver: none yet is not all.
        Ok(!states.is_empty() && states.keys().all(|state| state == "complete"))
    });
    if states.is_empty() {
        states.insert("not counted".to_owned(), 0);
    }
    Ok(states)
}

impl Figures {
    /// What is not as promised, a sentence each.
    pub fn complaints(&self, chaos: &Chaos) -> Vec<String> {
        let mut complaints = Vec::new();
        let mut check = |bad: bool, words: String| {
            if bad {
                complaints.push(words);
            }
        };
        let Self { report, twice, repeated, completeness, .. } = self;
        check(report.missing > 0, format!("{} trades are lost:\n{}", report.missing, self.first_lost()));
        check(*twice > 0, format!("{twice} trades are twice in silver"));
        let wrong = report.unexpected + report.different + report.candles_different;
        let only_lost = report.unexpected + report.different == 0 && report.missing > 0;
        check(wrong > 0 && !only_lost, format!("{report}\n{}", report.examples.join("\n")));
        check(self.published == 0 || report.candles == 0, "there was nothing to compare".to_owned());
        check(chaos.exactly_once && *repeated > 0, format!("{repeated} committed records repeat a trade"));
        let incomplete = completeness.keys().any(|state| state != "complete");
        check(incomplete, format!("completeness says {completeness:?}"));
        complaints
    }

    fn first_lost(&self) -> String {
        let mut text = self.lost.iter().take(RANGES).map(String::as_str).collect::<Vec<_>>().join("\n");
        if self.lost.len() > RANGES {
            text.push_str(&format!("\n… {} ranges in all", self.lost.len()));
        }
        text
    }
}

impl fmt::Display for Figures {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { published, report, twice, backfilled, records, repeated, letters, completeness, .. } = self;
        writeln!(
            formatter,
            "trades: {published} published, {} lost, {twice} twice, {backfilled} by backfill",
            report.missing
        )?;
        writeln!(formatter, "{report}")?;
        writeln!(formatter, "Kafka: {records} records, {repeated} of them repeat a trade")?;
        let Letters { sent_in_chaos, kept_in_chaos, sent_in_peace, kept_in_peace } = letters;
        writeln!(
            formatter,
            "dead letters: {kept_in_peace} of {sent_in_peace} damaged frames in peace, {kept_in_chaos} of {sent_in_chaos} \
             in chaos"
        )?;
        match completeness.is_empty() {
            true => writeln!(formatter, "completeness: the database has no such view")?,
            false => writeln!(formatter, "completeness: {completeness:?}")?,
        }
        writeln!(
            formatter,
            "REST: {} requests, {} before the time they were told",
            self.rest_requests, self.rest_too_early
        )?;
        let memory = self.most_memory >> 20;
        write!(formatter, "the host had {memory} MB at most; settled in {:.1} s", self.settled_in.as_secs_f32())
    }
}
