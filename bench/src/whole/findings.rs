//! What the part says: tables, charts and targets.

use super::MARKETS;
use super::looks::{EVERY, P50, P99};
use super::outcome::{CPU, MEMORY, Outcome};
use crate::chart::{Bar, Chart};
use crate::report::Findings;
use crate::statistics::Summary;
use crate::table::{Cell, Table};
use crate::target::Target;
use crate::unit::Unit;

/// What was aimed for at each rate: processors, and memory where it was.
const WANTED: [(u32, f64, Option<f64>); 2] = [(1_000, 0.5, Some(1.5e9)), (10_000, 1.5, None)];

/// What the system that this one replaces is given for the same work, measured there at rates far below these.
const BUDGET: &str = "budget of the system replaced, at far lower rates";
const BUDGET_CORES: f64 = 3.2;
const BUDGET_MEMORY: f64 = 3.2e9;

/// Puts everything together.
pub(super) fn findings(outcomes: Vec<Outcome>) -> Findings {
    let setting = format!(
        "Two simulated exchanges, one in each plugin's protocol, publish trades of {MARKETS} markets, the busiest a \
         hundred times as busy as the quietest, at a steady rate; host, Kafka and ClickHouse run beside them on the same \
         machine, with default settings and every table, candles and completeness among them. After a warm-up each round is a \
         window in which processors and memory are measured, then one in which the newest candles of all markets are asked \
         for every {} ms. A latency is from a trade's own time, at which its frame is sent, to the answer that shows it \
         in its candle.",
        EVERY.as_millis()
    );
    Findings {
        setting,
        targets: outcomes.iter().flat_map(targets).collect(),
        tables: vec![costs(&outcomes), candles(&outcomes)],
        charts: vec![
            chart("processor", "Processors of host, Kafka and ClickHouse", CPU, Unit::Cores, BUDGET_CORES, &outcomes),
            chart("memory", "Memory of host, Kafka and ClickHouse", MEMORY, Unit::Bytes, BUDGET_MEMORY, &outcomes),
        ],
        measurements: outcomes.into_iter().map(Outcome::measurement).collect(),
        ..Findings::default()
    }
}

fn targets(outcome: &Outcome) -> Vec<Target> {
    let rate = rate(outcome);
    let what = |what: &str| format!("{rate} over {MARKETS} markets, host, Kafka and ClickHouse: {what}");
    let mut targets = Vec::new();
    for (_, cores, memory) in WANTED.iter().filter(|(rate, ..)| *rate == outcome.rate) {
        targets.push(Target::at_most(&what("processors"), *cores, Unit::Cores, outcome.together(CPU)));
        let memory =
            memory.map(|memory| Target::at_most(&what("memory"), memory, Unit::Bytes, outcome.together(MEMORY)));
        targets.extend(memory);
    }
    let lost = Summary::of(&[outcome.counts.lost() as f64]);
    targets.push(Target::at_most(&format!("{rate}: trades lost"), 0.0, Unit::Count, lost));
    targets
}

fn rate(outcome: &Outcome) -> String {
    format!("{} trades/s", Unit::Count.show(f64::from(outcome.rate)))
}

/// What each process costs.
fn costs(outcomes: &[Outcome]) -> Table {
    let rates: Vec<String> = outcomes.iter().map(rate).collect();
    let heads = rates.iter().flat_map(|rate| [format!("{CPU}, {rate}"), format!("{MEMORY}, {rate}")]);
    let head: Vec<String> = std::iter::once(String::new()).chain(heads).collect();
    let mut table = Table::new("What each process costs", &head.iter().map(String::as_str).collect::<Vec<_>>());
    let mut row = |name: &str, summary: &dyn Fn(&Outcome, &str) -> Option<Summary>| {
        let cells = |outcome| {
            [Cell::spread(summary(outcome, CPU), Unit::Cores), Cell::spread(summary(outcome, MEMORY), Unit::Bytes)]
        };
        table.row(name, outcomes.iter().flat_map(cells).collect());
    };
    for name in &Outcome::PROCESSES[..Outcome::OWN] {
        row(name, &|outcome, figure| outcome.summary(name, figure));
    }
    row("these together", &|outcome, figure| outcome.together(figure));
    for name in &Outcome::PROCESSES[Outcome::OWN..] {
        row(&format!("{name}, not counted"), &|outcome, figure| outcome.summary(name, figure));
    }
    let budget = [Unit::Cores.show(BUDGET_CORES), Unit::Bytes.show(BUDGET_MEMORY)].map(Cell::Text);
    table.row(BUDGET, outcomes.iter().flat_map(|_| budget.clone()).collect());
    table
}

/// How long trades take into candles, and how many came.
fn candles(outcomes: &[Outcome]) -> Table {
    let head = ["", P50, P99, "published", "in silver", "in candles", "hours of markets", "complete"];
    let mut table = Table::new("From a frame to a candle that shows its trade", &head);
    for outcome in outcomes {
        let latency = |figure| Cell::spread(outcome.summary(Outcome::CANDLES, figure), Unit::Seconds);
        let counts = &outcome.counts;
        let counts = [counts.published, counts.silver, counts.candles, counts.hours, counts.complete_hours];
        let counts = counts.map(|count| Cell::Text(Unit::Count.show(count as f64)));
        table.row(&rate(outcome), [latency(P50), latency(P99)].into_iter().chain(counts).collect());
    }
    table
}

fn chart(name: &str, title: &str, figure: &str, unit: Unit, budget: f64, outcomes: &[Outcome]) -> Chart {
    let bar = |outcome: &Outcome| Some(Bar { label: rate(outcome), value: outcome.together(figure)?, own: true });
    let budget =
        Summary::of(&[budget]).map(|value| Bar { label: "budget of the system replaced".into(), value, own: false });
    Chart::bars(name, title, unit, outcomes.iter().filter_map(bar).chain(budget).collect())
}
