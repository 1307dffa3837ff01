//! How long candles are waited for, asked for over HTTP as docs/clickhouse.md shows it.

use std::time::Instant;

use anyhow::{Result, ensure};
use tapedeck_tests::pipeline::Pipeline;

use super::history::FIRST_DAY;
use super::records::{EXCHANGE, QUOTE};
use super::stage::Stage;
use super::{DAYS, HISTORY, MARKETS};
use crate::contender::Contender;
use crate::markets::names;
use crate::meter::pass;
use crate::rounds::{Measurement, alternate};
use crate::sample::Sample;
use crate::unit::Unit;

/// Questions of a run, of different markets and days where one is asked for.
const QUESTIONS: u64 = 20;

/// Figure: from the question to the whole answer, the median of a run.
pub(super) const MEDIAN: &str = "median";
/// Figure: the slowest of a run.
pub(super) const SLOWEST: &str = "slowest";

/// Name of the question for a day of a market's minutes.
pub(super) const DAY: &str = "a day of 1m candles of one market";
/// Name of the question for the days of all markets.
pub(super) const ALL: &str = "1d candles of all markets";

/// Asks both in rounds.
pub(super) fn measure(stage: &Stage<'_>, pipeline: &Pipeline) -> Result<Measurement> {
    let minutes = DAYS as usize * 1_440 * MARKETS;
    ensure!(minutes as u64 * 2 < HISTORY, "a candle of a minute holds no trade");
    let asker = |name, rows, ask| Box::new(Asker { pipeline, name, rows, ask }) as Box<dyn Contender>;
    let mut askers: Vec<Box<dyn Contender + '_>> =
        vec![asker(DAY, 1_440, day as Ask), asker(ALL, DAYS as usize * MARKETS, all)];
    alternate("Candles asked for", stage.setting.runs, &mut askers)
}

/// The statement of a question, by its number.
type Ask = fn(&str, u64) -> String;

/// A market and a day that the number stands for.
fn day(database: &str, number: u64) -> String {
    let (market, day) = (&names(MARKETS, QUOTE)[(number * 37) as usize % MARKETS], number % DAYS);
    format!(
        "SELECT bucket, open, high, low, close, volume FROM {database}.ohlcv_1m \
         WHERE exchange = '{EXCHANGE}' AND canonical_symbol = '{market}' \
         AND bucket >= toDateTime('{FIRST_DAY} 00:00:00', 'UTC') + INTERVAL {day} DAY \
         AND bucket < toDateTime('{FIRST_DAY} 00:00:00', 'UTC') + INTERVAL {} DAY ORDER BY bucket",
        day + 1
    )
}

fn all(database: &str, _number: u64) -> String {
    format!(
        "SELECT canonical_symbol, bucket, open, high, low, close, volume FROM {database}.ohlcv_1d \
         WHERE exchange = '{EXCHANGE}' ORDER BY canonical_symbol, bucket"
    )
}

struct Asker<'a> {
    pipeline: &'a Pipeline,
    name: &'static str,
    /// Candles of an answer.
    rows: usize,
    ask: Ask,
}

impl Contender for Asker<'_> {
    fn name(&self) -> String {
        self.name.to_owned()
    }

    fn run(&mut self) -> Result<Sample> {
        let mut times = Vec::new();
        for number in 0..QUESTIONS {
            let question = (self.ask)(&self.pipeline.database, number);
            let began = Instant::now();
            let answer = self.pipeline.client.query(&question)?;
            times.push(began.elapsed().as_secs_f64());
            let rows = answer.lines().count();
            ensure!(rows == self.rows, "{rows} candles, not {}: {question}", self.rows);
            pass(std::time::Duration::ZERO)?;
        }
        times.sort_unstable_by(f64::total_cmp);
        let at = |part: f64| times[((times.len() - 1) as f64 * part).round() as usize];
        Ok(Sample::new().with(MEDIAN, at(0.5), Unit::Seconds).with(SLOWEST, at(1.0), Unit::Seconds))
    }

    fn is_required(&self) -> bool {
        true
    }
}
