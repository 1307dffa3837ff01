//! Everything together: simulated exchanges, the host, Kafka and ClickHouse, at a steady rate over many markets; what each
//! process costs, how long a trade takes from its frame into a candle, and whether all of them are there.

use anyhow::Result;

use crate::report::Findings;
use crate::suite::Setting;

mod findings;
pub(crate) mod looks;
mod outcome;
mod scene;

/// Trades a second over all markets.
const RATES: [u32; 2] = [1_000, 10_000];

/// Markets of all exchanges together.
const MARKETS: usize = 100;

/// Runs the part.
///
/// # Errors
/// Something does not start, or trades do not arrive.
pub fn run(setting: &Setting) -> Result<Findings> {
    let outcomes = RATES.into_iter().map(|rate| scene::run(setting, rate)).collect::<Result<Vec<_>>>()?;
    Ok(findings::findings(outcomes))
}
