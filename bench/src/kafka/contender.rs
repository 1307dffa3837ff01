//! A client as a contender of the suite: its figures.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::time::Duration;

use anyhow::Result;

use super::client::Client;
use super::run::{Outcome, run};
use super::stage::Stage;
use crate::contender::Contender;
use crate::load::Amount;
use crate::sample::Sample;
use crate::unit::Unit;

/// Trades a second, from the first frame to the last record in Kafka.
pub const RATE: &str = "trades/s";
/// The client's processor time a trade.
pub const CPU: &str = "CPU a trade";
/// The most memory that the client had.
pub const MEMORY: &str = "memory";
/// Kafka's processor time a trade.
pub const BROKER_CPU: &str = "Kafka's CPU a trade";
/// Trades that are not in Kafka.
pub const LOST: &str = "lost";
/// Records that repeat a trade.
pub const TWICE: &str = "twice";
/// Records behind a later trade.
pub const OUT_OF_ORDER: &str = "out of order";
/// Latencies from the sending of a frame until a consumer has its record.
pub const P50: &str = "p50";
/// The same.
pub const P99: &str = "p99";
/// The same.
pub const P999: &str = "p99.9";
/// How far behind its rate a load was at the end.
pub const BEHIND: &str = "behind";

/// The first part of a load that latencies are not taken from: connections and compilers are cold.
const WARM_UP: f64 = 0.1;

/// A client under one load.
pub struct Runner<'a> {
    stage: &'a Stage,
    client: Box<dyn Client>,
    amount: Amount,
}

impl<'a> Runner<'a> {
    /// This client under that load.
    #[must_use]
    pub fn new(stage: &'a Stage, client: Box<dyn Client>, amount: Amount) -> Self {
        Self { stage, client, amount }
    }
}

impl Contender for Runner<'_> {
    fn name(&self) -> String {
        self.client.name()
    }

    fn set_up(&mut self) -> Result<()> {
        self.client.set_up()
    }

    fn run(&mut self) -> Result<Sample> {
        let outcome = run(self.stage, self.client.as_ref(), &self.amount)?;
        note_threads(self.stage, &self.client.name(), &self.amount, &outcome)?;
        Ok(sample(&outcome))
    }

    fn is_required(&self) -> bool {
        self.client.is_required()
    }
}

fn sample(outcome: &Outcome) -> Sample {
    let trades = outcome.trades.max(1) as f64;
    let each = |time: Duration| time.as_secs_f64() / trades;
    let mut sample = Sample::new();
    match quantiles(&outcome.latencies) {
        None => sample = sample.with(RATE, trades / outcome.elapsed.as_secs_f64(), Unit::PerSecond),
        Some([p50, p99, p999]) => {
            for (name, value) in [(P50, p50), (P99, p99), (P999, p999), (BEHIND, outcome.behind)] {
                sample = sample.with(name, value.as_secs_f64(), Unit::Seconds);
            }
        }
    }
    sample
        .with(CPU, each(outcome.cpu.all), Unit::Seconds)
        .with(MEMORY, outcome.memory as f64, Unit::Bytes)
        .with(BROKER_CPU, each(outcome.broker_cpu), Unit::Seconds)
        .with(LOST, outcome.lost as f64, Unit::Count)
        .with(TWICE, outcome.twice as f64, Unit::Count)
        .with(OUT_OF_ORDER, outcome.out_of_order as f64, Unit::Count)
}

/// The latency that half of the trades, 99 of 100 and 999 of 1,000 do not exceed, after the warm-up.
#[must_use]
pub fn quantiles(latencies: &[Duration]) -> Option<[Duration; 3]> {
    let mut warm = latencies[(latencies.len() as f64 * WARM_UP) as usize..].to_vec();
    warm.sort_unstable();
    let last = warm.len().checked_sub(1)?;
    Some([0.5, 0.99, 0.999].map(|part| warm[(last as f64 * part).round() as usize]))
}

/// Threads have names of each client's own, so they are no figures: for who works on one of them.
fn note_threads(stage: &Stage, name: &str, amount: &Amount, outcome: &Outcome) -> Result<()> {
    let file = stage.folder().join("threads.txt");
    let mut file = OpenOptions::new().create(true).append(true).open(file)?;
    let rate = amount.rate.map_or_else(|| "unlimited".to_owned(), |rate| format!("{rate}/s"));
    writeln!(file, "{name}, {rate}: {}", threads(outcome))?;
    Ok(())
}

/// Processor time a trade by threads, the most first.
#[must_use]
pub fn threads(outcome: &Outcome) -> String {
    let mut threads: Vec<_> = outcome.cpu.threads.iter().collect();
    threads.sort_unstable_by(|one, other| other.1.cmp(one.1));
    let each = |time: &Duration| time.as_secs_f64() * 1e6 / outcome.trades.max(1) as f64;
    let texts: Vec<String> = threads.iter().map(|(name, time)| format!("{name} {:.3} µs", each(time))).collect();
    texts.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_leave_the_warm_up_out() {
        let latencies: Vec<Duration> =
            (0..1112).map(|index| Duration::from_millis(if index < 111 { 9999 } else { index })).collect();
        assert_eq!(quantiles(&latencies), Some([611, 1101, 1110].map(Duration::from_millis)));
        assert_eq!(quantiles(&[]), None);
    }
}
