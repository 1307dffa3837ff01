//! Days by their seeds.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use super::day::{Outcome, live};
use super::host::Tools;
use super::plan::Plan;
use super::time::DAWN_US;
use super::world::Tally;
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::time::FormatTime;

/// Days of one run, where `TAPEDECK_SEEDS` does not say how many. Among them are those that broke a promise once: 0 (what is told
/// on subscription hid a gap, and so did the faster of two connections), 25 (no answer at all was good enough), 36 (a question
/// was forgotten), 193 (pings put answers off), 451 (a silent market was asked for over and over), 512 (a request too many
/// behind a pause).
const DAYS: u64 = 520;

/// Days that broke a promise, after which no more are tried.
const MOST_REPORTS: usize = 5;

/// What the last lines of a journal that broke a promise show.
const LAST_LINES: usize = 60;

fn number(variable: &str) -> Option<u64> {
    let text = std::env::var(variable).ok()?;
    Some(text.parse().unwrap_or_else(|_| panic!("{variable} is no number: {text}")))
}

/// Seconds since the day began.
struct SimulatedTime;

impl FormatTime for SimulatedTime {
    fn format_time(&self, writer: &mut Writer<'_>) -> fmt::Result {
        let since = super::now_us().unwrap_or(DAWN_US) - DAWN_US;
        write!(writer, "{:>10.3}", since as f64 / 1e6)
    }
}

/// A broken promise, and how to see it again.
fn report(seed: u64, outcome: &Outcome) -> Option<String> {
    let promise = outcome.broken.as_ref()?;
    let broken = outcome.journal.iter().position(|line| line.contains("BROKEN")).unwrap_or_default();
    let journal = outcome.journal[broken.saturating_sub(LAST_LINES)..=broken].join("\n");
    Some(format!(
        "{journal}\n\nseed {seed}: {promise}\nagain, with the whole journal:\n  TAPEDECK_SEED={seed} cargo test -p tapedeck --lib simulation -- --nocapture"
    ))
}

#[test]
fn whatever_happens_everything_comes_or_is_listed() {
    if let Some(seed) = number("TAPEDECK_SEED") {
        println!("{:#?}", Plan::of(seed));
        let log = tracing_subscriber::fmt().with_max_level(tracing::Level::INFO).with_timer(SimulatedTime).finish();
        let outcome = tracing::subscriber::with_default(log, || live(Plan::of(seed), &Tools::new()));
        println!("{:?}", outcome.tally);
        assert_eq!(outcome.broken, None, "seed {seed}");
        return;
    }
    let (days, first) = (number("TAPEDECK_SEEDS").unwrap_or(DAYS), number("TAPEDECK_FIRST_SEED").unwrap_or(0));
    let next = AtomicU64::new(first);
    let all = Mutex::new((Tally::default(), Vec::new()));
    let lock = || all.lock().unwrap_or_else(PoisonError::into_inner);
    let live_on = || {
        let tools = Tools::new();
        while lock().1.len() < MOST_REPORTS {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed >= first + days {
                break;
            }
            let outcome = live(Plan::of(seed), &tools);
            let mut all = lock();
            all.0 = all.0 + outcome.tally;
            all.1.extend(report(seed, &outcome));
        }
    };
    std::thread::scope(|scope| {
        let threads = std::thread::available_parallelism().map_or(1, usize::from);
        (0..threads).for_each(|_| _ = scope.spawn(live_on));
    });
    let (tally, reports) = &*lock();
    println!("{days} days: {tally:?}");
    assert!(reports.is_empty(), "{}", reports.join("\n\n"));
    if days >= DAYS {
        let Tally { kills, stops, backfilled, listed, repeated, spooled, .. } = *tally;
        let had = [kills, stops, backfilled, listed, repeated, spooled];
        assert!(had.iter().all(|count| *count > 0), "the days were too easy: {tally:?}");
    }
}

#[test]
fn the_same_seed_is_the_same_day() {
    let tools = Tools::new();
    for seed in 0..10 {
        let [first, second] = [(); 2].map(|()| live(Plan::of(seed), &tools));
        for (number, (one, other)) in first.journal.iter().zip(&second.journal).enumerate() {
            assert_eq!(one, other, "seed {seed}, line {number}");
        }
        assert_eq!((first.journal.len(), first.tally), (second.journal.len(), second.tally), "seed {seed}");
    }
}
