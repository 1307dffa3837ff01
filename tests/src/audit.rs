//! What came out at the far end: everything in Kafka is consumed, and silver and all six intervals equal the truth.

use std::time::Duration;

use std::collections::HashSet;

use anyhow::{Context, Result, bail, ensure};
use xtask::truth::{Report, TradeKey, Trades, compare};

use crate::kafka::{Record, Topic};
use crate::pipeline::Pipeline;
use crate::wait;

/// How long ClickHouse may take for everything: seconds on a quiet machine, more where many tests share two cores, and half
/// a minute more where it was killed and has to notice what it left undone.
const PATIENCE: Duration = Duration::from_secs(120);

/// Those of the trades that are among these records.
///
/// # Errors
/// A record is none of the trades.
pub fn received(records: &[Record], truth: &Trades) -> Result<Trades> {
    let mut keys = HashSet::new();
    for record in records {
        let value = record.json()?;
        let text = |name: &str| value[name].as_str().unwrap_or_default().to_owned();
        let key = TradeKey { exchange: text("exchange"), market: text("canonical_symbol"), id: text("trade_id") };
        ensure!(truth.get(&key).is_some(), "nobody published the trade {key:?}");
        keys.insert(key);
    }
    let mut some = Trades::default();
    for (key, trade) in truth.iter().filter(|(key, _)| keys.contains(*key)) {
        some.add(key.clone(), *trade)?;
    }
    Ok(some)
}

impl Pipeline {
    /// Waits until ClickHouse has read every record that is in these topics now, and until silver and gold equal the truth.
    ///
    /// # Errors
    /// They do not in time; the sentence has the first differences.
    pub fn audit(&self, exchanges: &[&str], truth: &Trades) -> Result<Report> {
        for exchange in exchanges {
            self.wait_until_consumed(exchange)?;
        }
        let mut report = Report::default();
        let waited = wait::until_true("silver and gold equal the truth", PATIENCE, || {
            report = compare(&self.client, &self.database, truth)?;
            Ok(report.is_clean())
        });
        waited.with_context(|| format!("{report}\n{}", report.examples.join("\n")))?;
        if report.silver != truth.len() as u64 || report.candles == 0 {
            bail!("a comparison of nothing: {report}");
        }
        Ok(report)
    }

    /// Waits until every record of an exchange's trades is in bronze or in quarantine, by its partition and offset.
    ///
    /// # Errors
    /// It is not in time.
    pub fn wait_until_consumed(&self, exchange: &str) -> Result<()> {
        let topic = self.trades(exchange);
        let ends = topic.ends()?;
        let mut behind = String::new();
        let waited = wait::until_true("ClickHouse has read the topic", PATIENCE, || {
            behind.clear();
            for (partition, end) in &ends {
                let read = self.client.query(&self.offsets_read(exchange, &topic, *partition))?;
                if read.trim().parse::<i64>()? < *end {
                    behind = format!("{}[{partition}] is read to {} of {end}", topic.name(), read.trim());
                    return Ok(false);
                }
            }
            Ok(true)
        });
        waited.context(behind)
    }

    /// How many offsets of a partition, counted from its beginning, are in ClickHouse without a hole; each counts once
    /// however often it was delivered.
    fn offsets_read(&self, exchange: &str, topic: &Topic, partition: i32) -> String {
        let database = &self.database;
        let here = format!("WHERE kafka_topic = '{}' AND kafka_partition = {partition}", topic.name());
        format!(
            "SELECT uniqExact(kafka_offset) FROM (SELECT kafka_offset FROM {database}.bronze_trades_{exchange} {here} \
             UNION ALL SELECT kafka_offset FROM {database}.quarantine {here})"
        )
    }
}
