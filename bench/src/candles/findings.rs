//! What the part says: tables, charts and targets.

use super::freshness::CANDLES;
use super::history::{GOLD, KEPT, REST, SILVER as HISTORY_SILVER};
use super::queries::{ALL, DAY, MEDIAN, SLOWEST};
use super::run::{BRONZE, BYTES, CPU, EXACT, NAIVE, RATE as PER_SECOND, SILVER, TYPED};
use super::{DAYS, HISTORY, MARKETS, RATE, RECORDS};
use crate::chart::{Bar, Chart};
use crate::load::tick;
use crate::report::Findings;
use crate::rounds::{Measurement, Series};
use crate::table::{Cell, Table};
use crate::target::Target;
use crate::unit::Unit;
use crate::whole::looks::{EVERY, P50, P99};

/// Puts everything together.
pub(super) fn findings(
    chains: Measurement,
    freshness: Measurement,
    history: Measurement,
    queries: Measurement,
) -> Findings {
    let tables = vec![
        Table::of(&chains, &[CPU, PER_SECOND, BYTES], EXACT),
        figures(&freshness, &[P50, P99]),
        figures(&queries, &[MEDIAN, SLOWEST]),
        bytes(&chains, &history),
    ];
    let charts = vec![
        bars("cpu", "From Kafka to candles: ClickHouse's processor time a trade", &chains, CPU, Unit::Seconds),
        bars("rate", "From Kafka to candles: trades a second", &chains, PER_SECOND, Unit::PerSecond),
    ];
    Findings {
        setting: setting(),
        targets: targets(&chains, &freshness, &queries),
        tables,
        charts,
        measurements: vec![chains, freshness, history, queries],
        ..Findings::default()
    }
}

fn targets(chains: &Measurement, freshness: &Measurement, queries: &Measurement) -> Vec<Target> {
    let cpu = |other| chains.ratio(EXACT, other, CPU);
    let fresh = |figure| freshness.summary(CANDLES, figure);
    let rate = Unit::Count.show(f64::from(RATE));
    let answer = |what| {
        let what = format!("{what}, at {} trades", Unit::Count.show(HISTORY as f64));
        move |summary| Target::at_most(&what, 0.05, Unit::Seconds, summary)
    };
    vec![
        Target::at_most("Kafka to candles, CPU a trade of JSONEachRow into one table", 0.7, Unit::Times, cpu(TYPED)),
        Target::at_most("Kafka to candles, CPU a trade of a chain of plain views", 1.0, Unit::Times, cpu(NAIVE)),
        Target::at_most(&format!("Kafka to candle at {rate} trades/s: p50"), 1.0, Unit::Seconds, fresh(P50)),
        Target::at_most(&format!("Kafka to candle at {rate} trades/s: p99"), 2.0, Unit::Seconds, fresh(P99)),
        answer(DAY)(queries.summary(DAY, MEDIAN)),
        answer(ALL)(queries.summary(ALL, MEDIAN)),
    ]
}

fn setting() -> String {
    let count = |number: u64| Unit::Count.show(number as f64);
    let prices = if tick::ticks().1 { "of a recorded day" } else { "made up" };
    format!(
        "{} records of {MARKETS} markets and one exchange, prices and quantities {prices}, wait in a topic of 4 partitions. In each \
         round each way reads all of them, by one consumer, into a database of its own. Then {} trades a second are written \
         into Kafka, and the newest candles asked for every {} ms. Last, {} trades of {DAYS} days are written into silver, \
         and candles asked for over HTTP.",
        count(RECORDS),
        count(u64::from(RATE)),
        EVERY.as_millis(),
        count(HISTORY),
    )
}

/// A row for each series.
fn figures(measurement: &Measurement, figures: &[&str]) -> Table {
    let head: Vec<&str> = std::iter::once("").chain(figures.iter().copied()).collect();
    let mut table = Table::new(&measurement.title, &head);
    for series in &measurement.series {
        let cell = |figure: &&str| Cell::spread(series.summary(figure), Unit::Seconds);
        table.row(&series.contender, figures.iter().map(cell).collect());
    }
    table
}

/// What a trade takes on disk in each kind of table.
fn bytes(chains: &Measurement, history: &Measurement) -> Table {
    let mut table = Table::new("Bytes a trade on disk", &["", "bronze", "silver", "candles", "marks and counts"]);
    let cell =
        |series: Option<&Series>, figure| Cell::figure(series.and_then(|series| series.summary(figure)), Unit::Bytes);
    for name in [EXACT, NAIVE] {
        let series = chains.series(name);
        let cells = vec![cell(series, BRONZE), cell(series, SILVER), Cell::Nothing, Cell::Nothing];
        table.row(&format!("{name}, {} records", Unit::Count.show(RECORDS as f64)), cells);
    }
    let kept = history.series(KEPT);
    let cells = vec![Cell::Nothing, cell(kept, HISTORY_SILVER), cell(kept, GOLD), cell(kept, REST)];
    table.row(&format!("Tapedeck, {} trades", Unit::Count.show(HISTORY as f64)), cells);
    table
}

fn bars(name: &str, title: &str, measurement: &Measurement, figure: &str, unit: Unit) -> Chart {
    let bar = |series: &Series| {
        let value = series.summary(figure)?;
        Some(Bar { label: series.contender.clone(), value, own: series.contender == EXACT })
    };
    Chart::bars(name, title, unit, measurement.series.iter().filter_map(bar).collect())
}
