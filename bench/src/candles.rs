//! From Kafka to candles: the whole chain beside the usual ways to bring records from Kafka into ClickHouse; how long a trade takes
//! from Kafka into a candle; how long candles are waited for, and how many bytes a trade takes, once there are many.

use anyhow::Result;

use crate::report::Findings;
use crate::suite::Setting;

mod chain;
mod exact;
mod findings;
mod freshness;
mod history;
mod naive;
mod plain;
mod queries;
mod records;
mod run;
mod stage;

use stage::Stage;

/// Markets of all records.
const MARKETS: usize = 100;

/// Records that wait in Kafka.
const RECORDS: u64 = 600_000;

/// Trades a second whose way into candles is timed.
const RATE: u32 = 10_000;

/// Trades that are there when candles are asked for.
const HISTORY: u64 = 100_000_000;

/// Days over which those are spread.
const DAYS: u64 = 2;

/// Runs the part.
///
/// # Errors
/// Kafka or ClickHouse does not start, or what a chain made of the records is not right.
pub fn run(setting: &Setting) -> Result<Findings> {
    let stage = Stage::new(setting)?;
    let chains = run::measure(&stage)?;
    let freshness = freshness::measure(&stage)?;
    let (history, queries) = history::measure(&stage)?;
    Ok(findings::findings(chains, freshness, history, queries))
}
