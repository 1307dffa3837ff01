//! What the part says: tables, charts and targets.

use super::load::{BUSY_CPU, BUSY_MEMORY, CPU_EACH, IDLE_CPU, IDLE_MEMORY, RATE, Size};
use super::start::{self, ANSWERS, CPU, MEMORY, READY};
use super::{MARKETS, PLUGINS, SESSIONS};
use crate::chart::{Axis, Chart, Line};
use crate::report::Findings;
use crate::rounds::Measurement;
use crate::statistics::Summary;
use crate::table::{Cell, Table};
use crate::target::Target;
use crate::unit::Unit;

/// Puts everything together.
pub(super) fn findings(markets: Measurement, sessions: Measurement, plugins: Measurement) -> Findings {
    let setting = format!(
        "A host of each size, anew in each round, with Kafka and simulated exchanges, one for ten sessions, on the same \
         machine: first connected and without a trade, then under {} trades a second in all, one a frame. A start is measured from the spawn of the \
         process, with topics and positions of an earlier run in Kafka; plugins are copies of those of this project, each with \
         a feed from an exchange at an address of its own.",
        Unit::Count.show(RATE as f64)
    );
    let tables = vec![
        sizes(&markets, "market", &MARKETS, Size::Markets),
        sizes(&sessions, "session", &SESSIONS, Size::Sessions),
        starts(&plugins),
    ];
    let charts = vec![
        chart("markets", "Processor by markets of one session", "markets", &markets, &MARKETS, Size::Markets),
        chart("sessions", "Processor by sessions of one market", "sessions", &sessions, &SESSIONS, Size::Sessions),
    ];
    Findings {
        setting,
        targets: targets(&markets, &sessions, &plugins),
        tables,
        charts,
        measurements: vec![markets, sessions, plugins],
        ..Findings::default()
    }
}

fn targets(markets: &Measurement, sessions: &Measurement, plugins: &Measurement) -> Vec<Target> {
    let most = |counts: &[usize]| counts.iter().copied().max().unwrap_or(1);
    let many = Size::Markets(most(&MARKETS)).name();
    let idle = |figure| markets.summary(&many, figure);
    let started = start::name(most(&PLUGINS), true);
    let session = |figure| each(sessions, most(&SESSIONS), Size::Sessions, figure);
    vec![
        Target::at_most(&format!("{many}, idle: of a core"), 5.0, Unit::Percent, idle(IDLE_CPU)),
        Target::at_most(&format!("{many}, idle: memory of the host"), 100e6, Unit::Bytes, idle(IDLE_MEMORY)),
        Target::at_most("a session, idle: memory", 1e6, Unit::Bytes, session(IDLE_MEMORY)),
        Target::at_most("a session, busy: memory", 1e6, Unit::Bytes, session(BUSY_MEMORY)),
        Target::at_most(&format!("{started}: ready after"), 0.5, Unit::Seconds, plugins.summary(&started, READY)),
    ]
}

/// What one of them costs: how much more so many cost than one, divided by how many more they are.
fn each(measurement: &Measurement, count: usize, size: fn(usize) -> Size, figure: &str) -> Option<Summary> {
    let name = |count| size(count).name();
    let more = count.checked_sub(1).filter(|more| *more > 0)? as f64;
    measurement.compare(&name(count), &name(1), figure, |many, one| (many - one) / more)
}

/// A row for each count of things.
fn sizes(measurement: &Measurement, thing: &str, counts: &[usize], size: fn(usize) -> Size) -> Table {
    let (idle, busy) = (format!("memory a {thing}, idle"), format!("memory a {thing}, busy"));
    let mut table = Table::new(
        &measurement.title,
        &["", IDLE_CPU, IDLE_MEMORY, BUSY_CPU, CPU_EACH, BUSY_MEMORY, idle.as_str(), busy.as_str()],
    );
    let figures = [
        (IDLE_CPU, Unit::Percent),
        (IDLE_MEMORY, Unit::Bytes),
        (BUSY_CPU, Unit::Percent),
        (CPU_EACH, Unit::Seconds),
        (BUSY_MEMORY, Unit::Bytes),
    ];
    for count in counts {
        let name = size(*count).name();
        let whole = figures.map(|(figure, unit)| Cell::spread(measurement.summary(&name, figure), unit));
        let parts = [IDLE_MEMORY, BUSY_MEMORY].map(|figure| each(measurement, *count, size, figure));
        let parts = parts.map(|summary| Cell::spread(summary, Unit::Bytes));
        table.row(&name, whole.into_iter().chain(parts).collect());
    }
    table
}

fn starts(plugins: &Measurement) -> Table {
    let figures = [READY, ANSWERS, CPU, MEMORY];
    let head: Vec<&str> = std::iter::once("").chain(figures).collect();
    let mut table = Table::new(&plugins.title, &head);
    for series in &plugins.series {
        let cell = |figure| Cell::spread(series.summary(figure), series.unit(figure).unwrap_or(Unit::Seconds));
        table.row(&series.contender, figures.map(cell).to_vec());
    }
    table
}

fn chart(
    name: &str,
    title: &str,
    x: &str,
    measurement: &Measurement,
    counts: &[usize],
    size: fn(usize) -> Size,
) -> Chart {
    let line = |label: &str, figure: &str| {
        let point = |count: &usize| Some((*count as f64, measurement.summary(&size(*count).name(), figure)?.median));
        Line { label: label.to_owned(), points: counts.iter().filter_map(point).collect() }
    };
    let axis = |title: &str, unit, is_logarithmic| Axis { title: title.to_owned(), unit, is_logarithmic };
    let busy = format!("{} trades/s in all", Unit::Count.show(RATE as f64));
    let lines = vec![line(&busy, BUSY_CPU), line("idle", IDLE_CPU)];
    Chart::lines(name, title, axis(x, Unit::Count, true), axis("of a core", Unit::Percent, false), lines)
}
