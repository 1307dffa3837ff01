//! How long a trade takes from Kafka into a candle, at a steady rate.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::{Result, anyhow};
use tapedeck_tests::pipeline::Pipeline;
use tapedeck_tests::wait;

use super::records::{self, EXCHANGE};
use super::stage::Stage;
use super::{MARKETS, RATE, exact};
use crate::meter::pass;
use crate::rounds::{self, Measurement, Series};
use crate::unit::Unit;
use crate::whole::looks::{self, Look};

/// Until merges come as they will go on.
const WARM_UP: Duration = Duration::from_secs(15);

/// A window in which candles are looked at.
const WATCH: Duration = Duration::from_secs(8);

/// How long the last trades may take into candles.
const PATIENCE: Duration = Duration::from_secs(60);

/// Name of the series.
pub(super) const CANDLES: &str = "from Kafka into a candle of one minute";

/// Measures as many windows as there are rounds.
pub(super) fn measure(stage: &Stage<'_>) -> Result<Measurement> {
    let title = format!("{} trades a second, {MARKETS} markets", Unit::Count.show(f64::from(RATE)));
    println!("\n{title}");
    let pipeline = exact::pipeline(stage)?;
    let (watched, produced) = produce_and_watch(stage, &pipeline)?;
    let trades = format!("SELECT sum(trades) FROM {}.ohlcv_1m", pipeline.database);
    let all_are_there = || Ok(pipeline.client.count(&trades)? == produced);
    wait::until_true("every trade is in a candle", PATIENCE, all_are_there)?;
    let times = looks::times(&pipeline)?;
    let samples = watched.iter().map(|looks| looks::sample(looks, &times)).collect::<Result<Vec<_>>>()?;
    for (window, sample) in (1..).zip(&samples) {
        println!("  window {window}/{}  {}", samples.len(), rounds::line(sample));
    }
    Ok(Measurement { title, series: vec![Series { contender: CANDLES.to_owned(), samples }], left_out: Vec::new() })
}

/// What was seen in each window, and how many trades there were in all.
fn produce_and_watch(stage: &Stage<'_>, pipeline: &Pipeline) -> Result<(Vec<Vec<Look>>, u64)> {
    let (topic, stop) = (pipeline.trades(EXCHANGE), AtomicBool::new(false));
    std::thread::scope(|scope| {
        let producer = scope.spawn(|| records::pace(&stage.stack.kafka, &topic, &stop));
        let watched = watch(stage, pipeline);
        stop.store(true, Ordering::Relaxed);
        let produced = producer.join().map_err(|_| anyhow!("the thread that writes records panicked"))??;
        Ok((watched?, produced))
    })
}

fn watch(stage: &Stage<'_>, pipeline: &Pipeline) -> Result<Vec<Vec<Look>>> {
    pass(WARM_UP)?;
    (0..stage.setting.runs).map(|_| looks::watch(pipeline, WATCH)).collect()
}
