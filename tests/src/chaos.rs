//! Chaos: two simulated exchanges, host, Kafka and ClickHouse; everything is killed, cut and confused at random moments, then
//! left in peace, and what came out is compared with what the exchanges published.
//!
//! A seed decides what is done and when. Processes are faster one time and slower another, so a seed repeats a run as far as
//! they allow.

use std::time::Duration;

use anyhow::{Result, bail};
use fastrand::Rng;
use xtask::stack::{Stack, StackOptions};

use crate::pipeline::Pipeline;
use crate::programs;

mod dead_letters;
pub mod outage;
pub mod plan;
mod stage;
mod topics;
mod verdict;

pub use dead_letters::Letters;
use plan::{Action, Step, Target, Venue};
use stage::{BINANCE, KRAKEN, Stage};
pub use verdict::Figures;

/// Peace before the end, in which gaps of the last moments are noticed.
const PEACE: Duration = Duration::from_secs(5);

/// A run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chaos {
    /// How often something is killed.
    pub kills: usize,
    /// What decides all.
    pub seed: u64,
    /// Trades a second of both exchanges together.
    pub rate: u64,
    /// Whether trades and positions go to Kafka in one transaction.
    pub exactly_once: bool,
    /// How long the rest may take once all is quiet.
    pub settle: Duration,
}

impl Default for Chaos {
    fn default() -> Self {
        Self { kills: 10, seed: 1, rate: 300, exactly_once: false, settle: Duration::from_secs(180) }
    }
}

impl Chaos {
    /// The command that repeats it.
    pub fn command(&self) -> String {
        let Self { kills, seed, rate, .. } = self;
        let delivery = if self.exactly_once { " --delivery exactly-once" } else { "" };
        format!("cargo chaos --kills {kills} --seed {seed} --rate {rate}{delivery}")
    }
}

/// Runs it, says what it does, and returns the figures of a run in which nothing was lost.
///
/// # Errors
/// Something was lost, is there twice or differs, or a part did not come back; with the command that repeats the run.
pub fn run(chaos: &Chaos) -> Result<Figures> {
    println!("chaos: {} kills, seed {}, {} trades a second", chaos.kills, chaos.seed, chaos.rate);
    run_plan(chaos, &plan::plan(chaos.seed, chaos.kills)).map_err(|error| {
        let command = chaos.command();
        error.context(format!("chaos broke it; seed {}, and this repeats it: {command}", chaos.seed))
    })
}

fn run_plan(chaos: &Chaos, steps: &[Step]) -> Result<Figures> {
    programs::folder()?;
    let stack = Stack::start(&StackOptions::default())?;
    let mut rng = Rng::with_seed(chaos.seed);
    let binance = stage::exchange(Venue::Binance, rng.u64(..), chaos.rate * 2 / 3, true)?;
    let kraken = stage::exchange(Venue::Kraken, rng.u64(..), chaos.rate / 3, true)?;
    let pipeline = pipeline(chaos, &stack)?.with_exchange(Venue::Binance.name(), &BINANCE, &binance).with_exchange(
        Venue::Kraken.name(),
        &KRAKEN,
        &kraken,
    );
    pipeline.command(&["topics", "apply"])?.success()?;
    pipeline.apply_sql()?;
    std::thread::scope(|scope| {
        let mut stage = Stage::new(scope, &stack, &pipeline, &binance, &kraken)?;
        let acted = act(chaos, steps, &mut stage);
        if acted.is_err() {
            keep_log(&stage);
        }
        acted
    })
}

fn pipeline(chaos: &Chaos, stack: &Stack) -> Result<Pipeline> {
    let pipeline = Pipeline::new("chaos", stack)?;
    Ok(if chaos.exactly_once { pipeline.with("kafka", "delivery = \"exactly-once\"") } else { pipeline })
}

fn act(chaos: &Chaos, steps: &[Step], stage: &mut Stage<'_, '_>) -> Result<Figures> {
    let mut kills = [Target::Host, Target::Kafka, Target::ClickHouse, Target::Connections].map(|target| (target, 0));
    for step in steps {
        stage.wait_until(step.at)?;
        stage.carry_out(step.action)?;
        if let Action::Kill(target, _) = step.action {
            kills.iter_mut().filter(|(known, _)| *known == target).for_each(|(_, count)| *count += 1);
        }
    }
    stage.pass(Duration::from_secs(1))?;
    stage.say("all trouble ends");
    stage.calm_down()?;
    stage.say("everything is up");
    stage.pass(PEACE)?;
    let letters = dead_letters::audit(stage)?;
    let figures = verdict::settle(chaos, stage, letters)?;
    for (target, count) in kills {
        println!("killed {count} times: {}", target.name());
    }
    println!("{figures}");
    match figures.complaints(chaos) {
        complaints if complaints.is_empty() => Ok(figures),
        complaints => bail!("{}", complaints.join("\n")),
    }
}

/// Leaves the log of a run that failed where somebody can read it.
fn keep_log(stage: &Stage<'_, '_>) {
    let file = std::env::temp_dir().join("tapedeck-chaos.log");
    if std::fs::write(&file, stage.log()).is_ok() {
        println!("the log of all hosts: {}", file.display());
    }
}
