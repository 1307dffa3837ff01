//! A run of a chain: from the moment it begins to read until there is nothing left to do.

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};

use super::chain::Chain;
use super::plain::Fields;
use super::stage::Stage;
use super::{exact, naive, plain};
use crate::contender::Contender;
use crate::meter::{Meter, pass};
use crate::rounds::{Measurement, alternate};
use crate::sample::Sample;
use crate::unit::Unit;

/// Figure: trades a second, until all are at the end of the chain.
pub(super) const RATE: &str = "trades/s";
/// Figure: processor time of ClickHouse for each, until nothing is left to do.
pub(super) const CPU: &str = "CPU a trade";
/// Figure: bytes on disk for each, in all tables.
pub(super) const BYTES: &str = "bytes a trade";
/// Figure: those of bronze.
pub(super) const BRONZE: &str = "in bronze";
/// Figure: those of silver.
pub(super) const SILVER: &str = "in silver";

/// Name of the product's own chain.
pub(super) const EXACT: &str = "Tapedeck: bronze, silver and exact candles";
/// Name of the usual chain.
pub(super) const NAIVE: &str = "bronze, silver and candles by plain views";
/// Name of the plain table of typed fields.
pub(super) const TYPED: &str = "one plain table, typed columns";
/// Name of the plain table of fields that are text.
const TEXT: &str = "one plain table, text cast by the view";

/// Name of reading alone.
const NOTHING: &str = "records read and thrown away";

/// Until the server has done what a new database gives it to do.
const SETTLE: Duration = Duration::from_secs(2);
/// From one look at what has arrived to the next: seldom, since looks cost processor time too.
const LOOK: Duration = Duration::from_millis(250);
/// How long nothing may be under way before a run counts as over.
const CALM: Duration = Duration::from_secs(1);
/// How long a run may take.
const PATIENCE: Duration = Duration::from_secs(180);

/// A way from Kafka to tables.
type Prepare = fn(&Stage<'_>) -> Result<Chain>;

/// Runs all of them in rounds.
pub(super) fn measure(stage: &Stage<'_>) -> Result<Measurement> {
    let ways: [(&'static str, Prepare); 5] = [
        (EXACT, exact::prepare),
        (TYPED, |stage| plain::prepare(stage, Fields::Typed)),
        (TEXT, |stage| plain::prepare(stage, Fields::Text)),
        (NAIVE, naive::prepare),
        (NOTHING, plain::prepare_nothing),
    ];
    let runner = |(name, prepare)| Box::new(Runner { stage, name, prepare }) as Box<dyn Contender>;
    let mut contenders: Vec<Box<dyn Contender + '_>> = ways.into_iter().map(runner).collect();
    alternate("From Kafka to candles, or to a table", stage.setting.runs, &mut contenders)
}

struct Runner<'a> {
    stage: &'a Stage<'a>,
    name: &'static str,
    prepare: Prepare,
}

impl Contender for Runner<'_> {
    fn name(&self) -> String {
        self.name.to_owned()
    }

    fn run(&mut self) -> Result<Sample> {
        let (stage, backlog) = (self.stage, &self.stage.backlog);
        let chain = (self.prepare)(stage)?;
        pass(SETTLE)?;
        let meter = Meter::start(stage.stack.clickhouse().pid())?;
        let began = Instant::now();
        chain.open()?;
        while chain.arrived()? < backlog.trades {
            ensure!(began.elapsed() < PATIENCE, "after {} s not all trades have arrived", PATIENCE.as_secs());
            pass(LOOK)?;
        }
        let arrived = began.elapsed().as_secs_f64();
        let mut calm = Instant::now();
        while calm.elapsed() < CALM {
            ensure!(began.elapsed() < PATIENCE, "after {} s there is still something to do", PATIENCE.as_secs());
            pass(LOOK)?;
            if !chain.is_calm(backlog)? {
                calm = Instant::now();
            }
        }
        let cpu = meter.read()?.cpu.as_secs_f64();
        chain.check(backlog)?;
        let trades = backlog.trades as f64;
        let mut sample =
            Sample::new().with(CPU, cpu / trades, Unit::Seconds).with(RATE, trades / arrived, Unit::PerSecond);
        let bytes = chain.bytes_each(None, backlog.trades)?;
        // Less than a byte is what keeps none of them.
        if bytes >= 1.0 {
            sample = sample.with(BYTES, bytes, Unit::Bytes);
        }
        for (table, figure) in &chain.tables {
            sample = sample.with(figure, chain.bytes_each(Some(table), backlog.trades)?, Unit::Bytes);
        }
        Ok(sample)
    }

    fn is_required(&self) -> bool {
        self.name == EXACT
    }
}
