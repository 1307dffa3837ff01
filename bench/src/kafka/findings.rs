//! What the part says: tables, charts and targets.

use super::RATES;
use super::client::Client as _;
use super::client::connect::Connect;
use super::client::cryptofeed::Cryptofeed;
use super::contender::{BROKER_CPU, CPU, LOST, MEMORY, OUT_OF_ORDER, P50, P99, P999, RATE, TWICE};
use anyhow::Result;
use xtask::home::repository;

use crate::chart::{Axis, Bar, Chart, Line};
use crate::load::tick;
use crate::report::Findings;
use crate::rounds::Measurement;
use crate::statistics::Summary;
use crate::table::Table;
use crate::target::Target;
use crate::unit::Unit;
use crate::versions::{LockFile, Version};

const OWN: &str = "Tapedeck";
const HAND: &str = "loop by hand";

/// Puts everything together.
pub(super) fn findings(
    versions: Vec<Version>,
    unlimited: Measurement,
    kraken: Measurement,
    paced: Vec<Measurement>,
) -> Findings {
    let mut targets = vec![
        Target::at_least(
            "socket to Kafka, trades/s of a loop by hand",
            0.9,
            Unit::Times,
            unlimited.ratio(OWN, HAND, RATE),
        ),
        Target::at_most(
            "socket to Kafka, CPU a trade of a loop by hand",
            1.25,
            Unit::Times,
            unlimited.ratio(OWN, HAND, CPU),
        ),
    ];
    for (wanted, other) in [(15.0, Connect::in_order().name()), (200.0, Cryptofeed.name())] {
        let what = format!("socket to Kafka, trades/s of {other}");
        targets.push(Target::at_least(&what, wanted, Unit::Times, unlimited.ratio(OWN, &other, RATE)));
    }
    for (rate, measurement) in RATES.iter().zip(&paced) {
        let what = format!("p99 at {} trades/s of a loop by hand", Unit::Count.show(f64::from(*rate)));
        targets.push(Target::at_most(&what, 1.25, Unit::Times, measurement.ratio(OWN, HAND, P99)));
    }
    let all = || [&unlimited, &kraken].into_iter().chain(&paced);
    for figure in [LOST, OUT_OF_ORDER, TWICE] {
        let what = format!("socket to Kafka, trades {figure}, the worst run");
        targets.push(Target::at_most(&what, 0.0, Unit::Count, worst(all(), figure)));
    }

    let unlimited_figures = [RATE, CPU, MEMORY, BROKER_CPU, LOST, TWICE, OUT_OF_ORDER];
    let paced_figures = [P99, P50, P999, CPU, MEMORY, LOST, OUT_OF_ORDER];
    let mut tables =
        vec![Table::of(&unlimited, &unlimited_figures, HAND), Table::of(&kraken, &unlimited_figures, HAND)];
    tables.extend(paced.iter().map(|measurement| Table::of(measurement, &paced_figures, HAND)));
    let latency = latency(&paced);
    let charts = vec![
        bars("rate", "From the socket to Kafka: trades a second", &unlimited, RATE, Unit::PerSecond),
        bars("cpu", "From the socket to Kafka: processor time a trade", &unlimited, CPU, Unit::Seconds),
        latency,
    ];
    let measurements = [unlimited, kraken].into_iter().chain(paced).collect();
    Findings { setting: setting(), versions, targets, tables, charts, measurements }
}

fn setting() -> String {
    let origin = if tick::ticks().1 { "those of a recorded day" } else { "made up" };
    format!("Prices and quantities of the trades were {origin}.")
}

/// What the loop by hand is made of.
pub(super) fn versions() -> Result<Vec<Version>> {
    let lock = LockFile::read(&repository().join("Cargo.lock"))?;
    let version = |name| Ok(Version::new(name, lock.version(name)?));
    ["tokio-tungstenite", "serde_json", "rdkafka"].into_iter().map(version).collect()
}

/// The highest that a figure of Tapedeck's got in any run.
fn worst<'a>(measurements: impl Iterator<Item = &'a Measurement>, figure: &str) -> Option<Summary> {
    let highest = measurements.filter_map(|measurement| measurement.summary(OWN, figure)).map(|summary| summary.high);
    Summary::of(&[highest.max_by(f64::total_cmp)?])
}

fn bars(name: &str, title: &str, measurement: &Measurement, figure: &str, unit: Unit) -> Chart {
    let bar = |series: &crate::rounds::Series| {
        let value = series.summary(figure)?;
        Some(Bar { label: series.contender.clone(), value, own: series.contender == OWN })
    };
    Chart::bars(name, title, unit, measurement.series.iter().filter_map(bar).collect())
}

/// The slowest hundredth of each contender by rates.
fn latency(paced: &[Measurement]) -> Chart {
    let mut lines: Vec<Line> = Vec::new();
    for (rate, measurement) in RATES.iter().zip(paced) {
        for series in &measurement.series {
            let Some(p99) = series.summary(P99) else { continue };
            let point = (f64::from(*rate), p99.median);
            match lines.iter_mut().find(|line| line.label == series.contender) {
                Some(line) => line.points.push(point),
                None => lines.push(Line { label: series.contender.clone(), points: vec![point] }),
            }
        }
    }
    let axis = |title: &str, unit| Axis { title: title.to_owned(), unit, is_logarithmic: true };
    let (x, y) = (axis("trades a second", Unit::PerSecond), axis("p99", Unit::Seconds));
    Chart::lines("latency", "From the socket to Kafka: latency that 99 of 100 trades do not exceed", x, y, lines)
}
