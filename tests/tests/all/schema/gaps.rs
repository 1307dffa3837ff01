//! What the host's words on gaps make of completeness: by time, where ids show nothing, and by ids.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use anyhow::{Result, ensure};
use tapedeck::plugin::TradeIds;

use super::{Database, EXCHANGE};

/// 2024-12-31 20:00 UTC: gaps of the same market end in two years, which are kept apart on the disk.
const EVENING: i64 = 1_735_675_200_000_000;
const MINUTE: i64 = 60_000_000;
const HOUR: i64 = 60 * MINUTE;

/// A gap in time: from and to in minutes of that evening, what is said of it, and when.
#[derive(Clone, Copy, Debug)]
struct Word(i64, i64, &'static str, i64);

/// A market named after what it shows, what is said of it, and its hours and times as they must be.
type Case = (&'static str, &'static [Word], &'static [&'static str], Vec<String>);

impl Database {
    /// A database whose exchange has ids that show nothing.
    fn opaque(name: &str) -> Result<Self> {
        let mut database = Self::new(name)?;
        database.settings.trade_ids.insert(EXCHANGE.into(), TradeIds::Opaque);
        database.apply()?;
        Ok(database)
    }

    fn say<'a>(&self, words: impl IntoIterator<Item = (&'a str, Word)>) -> Result<()> {
        let mut rows = String::new();
        for (market, Word(from, to, state, at)) in words {
            let (from, to) = (EVENING + from * MINUTE, EVENING + to * MINUTE);
            let reason = if state == "missing" { format!("said at {at}") } else { String::new() };
            let _ = write!(
                rows,
                "('{EXCHANGE}', '{market}', 0, {from}, '{state}', 0, 0, fromUnixTimestamp64Micro({from}, 'UTC'), \
                 fromUnixTimestamp64Micro({to}, 'UTC'), '{reason}', 0, fromUnixTimestamp64Micro({at}, 'UTC'))"
            );
        }
        self.query(&format!("INSERT INTO {{db}}.gaps VALUES {rows}")).map(drop)
    }

    /// `hour state` of each row of completeness, hours counted from that evening.
    fn states(&self, market: &str) -> Result<Vec<String>> {
        let rows = self.query(&format!(
            "SELECT intDiv(toUnixTimestamp(hour) - {}, 3600), state FROM {{db}}.completeness WHERE canonical_symbol = '{market}' \
             ORDER BY hour SETTINGS do_not_merge_across_partitions_select_final = 1",
            EVENING / 1_000_000
        ))?;
        Ok(rows.lines().map(|row| row.replace('\t', " ")).collect())
    }

    /// `from to state reason` of each missing time, in microseconds of that evening.
    fn times(&self, market: &str) -> Result<Vec<String>> {
        let rows = self.query(&format!(
            "SELECT toUnixTimestamp64Micro(started_at) - {EVENING}, toUnixTimestamp64Micro(ended_at) - {EVENING}, state, reason \
             FROM {{db}}.missing_times WHERE canonical_symbol = '{market}' ORDER BY started_at, ended_at, reason"
        ))?;
        Ok(rows.lines().map(|row| row.trim_end().replace('\t', " ")).collect())
    }
}

#[test]
fn a_gap_that_was_filled_heals_what_it_covers_and_nothing_else() -> Result<()> {
    let database = Database::opaque("healed")?;
    let missing = |from: i64, to: i64, at: i64| format!("{from} {to} missing said at {at}");
    let healing = |from: i64, to: i64| format!("{from} {to} healing");
    let minute = |number: i64| number * MINUTE;
    let cases: &[Case] = &[
        (
            "another gap of the hour is filled later",
            &[Word(10, 12, "missing", 1), Word(40, 41, "open", 2), Word(40, 41, "filled", 3)],
            &["0 missing"],
            vec![missing(minute(10), minute(12), 1)],
        ),
        (
            "one that is open is not hidden either, and gives way to one that is missing",
            &[Word(10, 12, "open", 1), Word(40, 41, "filled", 3), Word(70, 71, "open", 4), Word(80, 81, "missing", 2)],
            &["0 healing", "1 missing"],
            vec![healing(minute(10), minute(12)), healing(minute(70), minute(71)), missing(minute(80), minute(81), 2)],
        ),
        (
            "the newest word on a gap wins, whichever comes first",
            &[Word(10, 12, "filled", 3), Word(10, 12, "missing", 2), Word(10, 12, "open", 1)],
            &[],
            vec![],
        ),
        (
            "many hours, over midnight, filled by a longer one",
            &[Word(10, 300, "missing", 1), Word(5, 310, "filled", 2)],
            &[],
            vec![],
        ),
        (
            "the same place, found again and longer, in another year",
            &[Word(10, 200, "missing", 1), Word(10, 300, "filled", 2)],
            &[],
            vec![],
        ),
        (
            "filled before it was given up",
            &[Word(5, 70, "filled", 1), Word(10, 60, "missing", 2)],
            &["0 missing", "1 missing"],
            vec![missing(minute(10), minute(60), 2)],
        ),
        (
            "what is covered in part stays in part",
            &[Word(10, 300, "missing", 1), Word(60, 250, "filled", 2)],
            &["0 missing", "4 missing", "5 missing"],
            vec![missing(minute(10), minute(60) - 1, 1), missing(minute(250) + 1, minute(300), 1)],
        ),
        (
            "two that meet cover together, and a third is of no use",
            &[
                Word(10, 100, "missing", 1),
                Word(0, 50, "filled", 2),
                Word(50, 110, "filled", 3),
                Word(60, 61, "filled", 4),
            ],
            &[],
            vec![],
        ),
        (
            "a gap without length is an instant",
            &[Word(60, 60, "missing", 1), Word(90, 90, "open", 2), Word(60, 60, "filled", 3)],
            &["1 healing"],
            vec![healing(minute(90), minute(90))],
        ),
    ];
    database.say(cases.iter().flat_map(|(market, words, ..)| words.iter().map(|word| (*market, *word))))?;
    for (market, _, hours, times) in cases {
        ensure!(database.states(market)? == *hours, "{market}: {:?}", database.states(market)?);
        ensure!(database.times(market)? == *times, "{market}: {:?}", database.times(market)?);
    }
    // Where ids prove what is missing, times do not count.
    database.query(&format!("INSERT INTO {{db}}.trade_ids VALUES ('{EXCHANGE}', 'dense', now64(6))"))?;
    ensure!(database.count("SELECT count() FROM {db}.missing_times")? == 0);
    ensure!(database.count("SELECT count() FROM {db}.completeness")? == 0);
    Ok(())
}

/// What must be missing of one market, gap by gap: from, to, and what is said, in microseconds of that evening.
///
/// Time is cut into instants, the half-hours, and what lies between them; each word on a gap is for or against each cut.
fn recomputed(words: &[Word]) -> Vec<(i64, i64, String)> {
    let half_hour = 30 * MINUTE;
    let mut newest = BTreeMap::<i64, Word>::new();
    for word in words {
        let known = newest.entry(word.0).or_insert(*word);
        if word.3 > known.3 {
            *known = *word;
        }
    }
    let cuts = |word: &Word| word.0 / 30 * 2..=word.1 / 30 * 2;
    let begin = |cut: i64| cut / 2 * half_hour + cut % 2;
    let end = |cut: i64| (cut + 1) / 2 * half_hour - cut % 2;
    let mut times = Vec::new();
    for lost in newest.values().filter(|word| word.2 != "filled") {
        let covers: Vec<&Word> = newest.values().filter(|word| word.2 == "filled" && word.3 > lost.3).collect();
        let is_left = |cut: &i64| !covers.iter().any(|cover| cuts(cover).contains(cut));
        let left: Vec<i64> = cuts(lost).filter(is_left).collect();
        let said = if lost.2 == "open" { "healing".to_owned() } else { format!("missing said at {}", lost.3) };
        for piece in left.chunk_by(|one, next| one + 1 == *next) {
            if let (Some(first), Some(last)) = (piece.first(), piece.last()) {
                times.push((begin(*first), end(*last), said.clone()));
            }
        }
    }
    times
}

/// Seed 61: gaps of forty markets, one over the other.
#[test]
fn missing_times_equal_a_recomputation() -> Result<()> {
    let database = Database::opaque("times")?;
    let mut random = fastrand::Rng::with_seed(61);
    let markets: Vec<String> = (0..40).map(|number| format!("M{number}/USD")).collect();
    let mut said: Vec<(&str, Word)> = Vec::new();
    for market in &markets {
        for at in 1..=random.i64(1..14) {
            let (from, length) = (random.i64(0..20) * 30, random.i64(0..8) * 30);
            let state = random.choice(["open", "filled", "missing"]).unwrap_or("open");
            said.push((market, Word(from, from + length, state, at)));
        }
    }
    random.shuffle(&mut said);
    for block in said.chunks(said.len() / 3) {
        database.say(block.iter().copied())?;
    }
    let mut all = 0;
    for market in &markets {
        let words: Vec<Word> = said.iter().filter(|(of, _)| of == market).map(|(_, word)| *word).collect();
        let times = recomputed(&words);
        let mut hours = BTreeMap::<i64, &str>::new();
        for (from, to, said) in &times {
            for hour in from / HOUR..=to / HOUR {
                let state = if said == "healing" { "healing" } else { "missing" };
                hours.entry(hour).and_modify(|known| *known = (*known).max(state)).or_insert(state);
            }
        }
        let mut found = database.times(market)?;
        found.sort_unstable();
        let mut expected: Vec<String> = times.iter().map(|(from, to, said)| format!("{from} {to} {said}")).collect();
        expected.sort_unstable();
        ensure!(found == expected, "{market}, {words:?}: {found:#?} instead of {expected:#?}");
        let expected: Vec<String> = hours.iter().map(|(hour, state)| format!("{hour} {state}")).collect();
        ensure!(database.states(market)? == expected, "{market}, {words:?}: not {expected:?}");
        all += times.len();
    }
    ensure!(all > 100, "{all} times");
    Ok(())
}

/// Of a gap of which one part came, the others are given up: each keeps its reason, though the whole is filled.
#[test]
fn ids_that_were_given_up_keep_their_reason() -> Result<()> {
    let database = Database::applied("reasons")?;
    database.query(&format!(
        "INSERT INTO {{db}}.hour_ids SELECT '{EXCHANGE}', 'BTC/USDT', toStartOfHour(fromUnixTimestamp64Micro({EVENING}, 'UTC')), \
         'dense', 1, 9, 3, 3, 0, 0, 0, [(1, 1), (5, 5), (9, 9)], 3, 1"
    ))?;
    let say = |first: u64, last: u64, state: &str, at: u64| {
        let reason = if state == "missing" { format!("said at {at}") } else { String::new() };
        database.query(&format!(
            "INSERT INTO {{db}}.gaps SELECT '{EXCHANGE}', 'BTC/USDT', 1, {first}, '{state}', {first}, {last}, 0, 1, '{reason}', 0, \
             fromUnixTimestamp64Micro({at}, 'UTC')"
        ))
    };
    let rows = || database.query("SELECT first_id, last_id, state, reason FROM {db}.missing_ranges ORDER BY first_id");
    say(2, 8, "open", 1)?;
    ensure!(rows()? == "2\t4\thealing\t\n6\t8\thealing\t\n", "{}", rows()?);
    // As the host says it: the whole, then its parts, the first of which has the whole's place.
    say(2, 8, "filled", 2)?;
    say(2, 4, "missing", 3)?;
    say(6, 8, "missing", 4)?;
    ensure!(rows()? == "2\t4\tmissing\tsaid at 3\n6\t8\tmissing\tsaid at 4\n", "{}", rows()?);
    // As a former host said it, the whole last.
    say(2, 8, "filled", 5)?;
    let expected = "2\t4\tmissing\tthe host says that it is filled\n6\t8\tmissing\tsaid at 4\n";
    ensure!(rows()? == expected, "{}", rows()?);
    // Asked for again.
    say(6, 8, "open", 6)?;
    let expected = "2\t4\tmissing\tthe host says that it is filled\n6\t8\thealing\t\n";
    ensure!(rows()? == expected, "{}", rows()?);
    Ok(())
}
