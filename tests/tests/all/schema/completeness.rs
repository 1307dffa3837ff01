//! What is there and what is missing, hour by hour: equal to a recomputation from the ids that were inserted.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Result, ensure};
use serde_json::json;
use tapedeck_tests::kafka::{Record, Topic};
use tapedeck_tests::wait;

use super::{Database, EXCHANGE, PATIENCE, record};

/// 2024-08-09 00:00 UTC.
const MIDNIGHT: i64 = 1_723_161_600_000_000;
const HOUR: i64 = 3_600_000_000;

/// A trade of the truth: when it was, and how it came.
#[derive(Clone)]
struct Inserted {
    timestamp: i64,
    source: &'static str,
    deliveries: u64,
}

type Market = BTreeMap<u64, Inserted>;

/// The rows that `completeness` must have: hour, first, last, trades, live, backfill, duplicates, ranges, state.
fn expected(market: &Market) -> Vec<String> {
    let hour_of = |inserted: &Inserted| inserted.timestamp.div_euclid(HOUR);
    let mut missing: BTreeMap<i64, Vec<(u64, u64)>> = BTreeMap::new();
    for ((before, _), (id, trade)) in market.iter().zip(market.iter().skip(1)) {
        if id - before > 1 {
            missing.entry(hour_of(trade)).or_default().push((before + 1, id - 1));
        }
    }
    let hours: BTreeSet<i64> = market.values().map(hour_of).collect();
    let row = |hour: i64| {
        let of_hour: Vec<_> = market.iter().filter(|(_, trade)| hour_of(trade) == hour).collect();
        let from = |source: &str| of_hour.iter().filter(|(_, trade)| trade.source == source).count();
        let duplicates: u64 = of_hour.iter().map(|(_, trade)| trade.deliveries - 1).sum();
        let ranges = missing.get(&hour).cloned().unwrap_or_default();
        let shown: Vec<String> = ranges.iter().map(|(first, last)| format!("({first},{last})")).collect();
        let state = if ranges.is_empty() { "complete" } else { "missing" };
        let (first, last) = (of_hour[0].0, of_hour[of_hour.len() - 1].0);
        let (trades, live, backfill) = (of_hour.len(), from("live"), from("backfill"));
        let hour = hour * 3600;
        format!(
            "{hour}\t{first}\t{last}\t{trades}\t{live}\t0\t{backfill}\t{duplicates}\t[{}]\t{state}",
            shown.join(",")
        )
    };
    hours.into_iter().map(row).collect()
}

impl Database {
    /// Waits until every mark is counted, and every hour is made of its minutes.
    pub(super) fn settle_counts(&self) -> Result<()> {
        self.settle()?;
        wait::until_true("all minutes and hours are counted", PATIENCE, || {
            let minutes = self.count(
                "SELECT count() FROM (SELECT exchange, canonical_symbol, minute, sum(marks) AS m FROM {db}.minute_marks GROUP BY 1, 2, 3) AS d \
                 LEFT JOIN (SELECT exchange, canonical_symbol, minute, version AS v FROM {db}.minute_ids FINAL) AS c \
                 USING (exchange, canonical_symbol, minute) WHERE d.m != c.v",
            )?;
            let hours = self.count(
                "SELECT count() FROM (SELECT exchange, canonical_symbol, hour, version, digest FROM {db}.hours_of_minutes) AS d \
                 LEFT JOIN (SELECT exchange, canonical_symbol, hour, version, digest FROM {db}.hour_ids FINAL) AS c \
                 USING (exchange, canonical_symbol, hour) WHERE d.version != c.version OR d.digest != c.digest",
            )?;
            Ok(minutes == 0 && hours == 0)
        })
    }

    fn completeness(&self, market: &str) -> Result<String> {
        self.query(&format!(
            "SELECT toUnixTimestamp(hour), first_id, last_id, trades, live, snapshot, backfill, duplicates, missing, state \
             FROM {{db}}.completeness WHERE exchange = '{EXCHANGE}' AND canonical_symbol = '{market}' ORDER BY hour"
        ))
    }
}

/// Seed 47: two markets over five hours, midnight among their edges; holes within minutes, over minutes, over hours and a
/// whole hour long; trades out of order by up to two seconds; second copies.
#[test]
fn completeness_equals_a_recomputation_and_backfill_completes_it() -> Result<()> {
    let database = Database::applied("completeness")?;
    let mut random = fastrand::Rng::with_seed(47);
    let mut markets: BTreeMap<&str, Market> = BTreeMap::new();
    let (mut lost, mut records) = (BTreeMap::<&str, Market>::new(), Vec::new());
    let copy = |market: &str, id: u64, timestamp: i64, source: &str| {
        record(json!({
            "trade_id": id.to_string(), "order": id, "timestamp_us": timestamp, "canonical_symbol": market, "source": source
        }))
    };
    for market in ["BTC/USDT", "ETH/USDT"] {
        let first = random.u64(1..1_000_000);
        for number in 0..3_000_u64 {
            let id = first + number;
            let timestamp =
                MIDNIGHT - 2 * HOUR - HOUR / 2 + i64::try_from(number)? * 6_000_000 + random.i64(0..8_000_000);
            // 1,380 to 1,520 lie over midnight; 2,050 to 2,750 are more than an hour.
            let hole = matches!(number, 40 | 77..=79 | 290..=310 | 1_380..=1_520 | 2_050..=2_750) || random.u8(..) < 2;
            let is_edge = number == 0 || number == 2_999;
            if hole && !is_edge {
                lost.entry(market).or_default().insert(id, Inserted { timestamp, source: "backfill", deliveries: 1 });
                continue;
            }
            let deliveries = 1 + u64::from(random.u8(..) < 25);
            for _ in 0..deliveries {
                records.push(copy(market, id, timestamp, "live"));
            }
            markets.entry(market).or_default().insert(id, Inserted { timestamp, source: "live", deliveries });
        }
    }
    random.shuffle(&mut records);
    for block in records.chunks(900) {
        database.insert(block)?;
    }
    let check = |markets: &BTreeMap<&str, Market>, what: &str| -> Result<()> {
        database.settle_counts()?;
        for (market, trades) in markets {
            let rows = database.completeness(market)?;
            let wanted = expected(trades);
            ensure!(rows.lines().eq(wanted.iter()), "{what}, {market}:\n{rows}expected:\n{}", wanted.join("\n"));
        }
        Ok(())
    };
    check(&markets, "with holes")?;
    ensure!(database.count("SELECT countIf(state = 'missing') FROM {db}.completeness")? >= 6);

    // Backfill: everything but the long hole of one market, then that too.
    for (round, half) in [(false, "in part"), (true, "wholly")] {
        let mut records = Vec::new();
        for (market, trades) in &lost {
            for (id, trade) in trades {
                let is_long = trade.timestamp > MIDNIGHT + HOUR / 2;
                if is_long == round {
                    records.push(copy(market, *id, trade.timestamp, "backfill"));
                    markets.entry(market).or_default().insert(*id, trade.clone());
                }
            }
        }
        database.insert(&records)?;
        check(&markets, half)?;
    }
    ensure!(database.count("SELECT countIf(state != 'complete') FROM {db}.completeness")? == 0);
    ensure!(database.count("SELECT sum(missing_ids) FROM {db}.completeness")? == 0);
    Ok(())
}

/// An aggregated trade stands for the fills below its id; without a rule nothing is said by id, and a rule that is said
/// later counts for what was there before.
#[test]
fn the_rule_of_ids_decides_what_a_hole_is() -> Result<()> {
    let mut database = Database::new("rules")?;
    database.settings.trade_ids.clear();
    database.apply()?;
    let trade = |id: u64, count: u64, second: i64| {
        record(
            json!({ "trade_id": id.to_string(), "order": id, "count": count, "timestamp_us": MIDNIGHT + second * 1_000_000 }),
        )
    };
    // 11 to 13 are in 13; 16 stands for 15 and 16, so 14 is missing.
    database.insert(&[trade(10, 1, 5), trade(13, 3, 65), trade(16, 2, 4_000)])?;
    database.settle_counts()?;
    let rows = || database.query("SELECT ids, missing, state FROM {db}.completeness ORDER BY hour");
    ensure!(rows()? == "\t[]\tcomplete\n\t[]\tcomplete\n", "{}", rows()?);
    for (rule, expected) in [
        (tapedeck::plugin::TradeIds::Aggregated, "aggregated\t[]\tcomplete\naggregated\t[(14,14)]\tmissing\n"),
        (tapedeck::plugin::TradeIds::Dense, "dense\t[(11,12)]\tmissing\ndense\t[(14,15)]\tmissing\n"),
    ] {
        let mut settings = database.settings.clone();
        settings.trade_ids.insert(EXCHANGE.into(), rule);
        tapedeck_tests::exchange::runtime().block_on(tapedeck::schema::apply(&settings))?;
        database.query("SYSTEM REFRESH VIEW {db}.touch_uncounted")?;
        wait::until_true("the hours are counted by the new rule", PATIENCE, || Ok(rows()? == expected))?;
    }
    Ok(())
}

#[test]
fn a_hole_is_what_the_host_says_of_it() -> Result<()> {
    let database = Database::new("gaps")?;
    let prefix = &database.settings.topic_prefix;
    let topic = Topic::new(&database.settings.kafka_brokers, &format!("{prefix}.{EXCHANGE}.gaps"));
    topic.create()?;
    database.apply()?;
    let trade = |id: u64, minute: i64| {
        record(json!({ "trade_id": id.to_string(), "order": id, "timestamp_us": MIDNIGHT + minute * 60_000_000 }))
    };
    database.insert(&[trade(1, 1), trade(5, 30), trade(6, 70), trade(9, 80)])?;
    let gap = |state: &str, ids: Option<(u64, u64)>, minutes: (i64, i64), at: i64| {
        Record {
        partition: 0,
        key: b"north:BTC/USDT".to_vec(),
        payload: json!({
            "schema": 1, "exchange": EXCHANGE, "canonical_symbol": "BTC/USDT", "state": state, "first_id": ids.map(|ids| ids.0),
            "last_id": ids.map(|ids| ids.1), "start_us": MIDNIGHT + minutes.0 * 60_000_000, "end_us": MIDNIGHT + minutes.1 * 60_000_000,
            "reason": if state == "missing" { "the exchange has no such trades" } else { "" }, "found_at_us": MIDNIGHT, "at_us": MIDNIGHT + at
        })
        .to_string()
        .into_bytes(),
        headers: BTreeMap::new(),
    }
    };
    let rows = || database.query("SELECT missing, state FROM {db}.completeness ORDER BY hour");
    let becomes = |what: &str, expected: &str| {
        wait::until_true(what, PATIENCE, || Ok(rows()? == expected))
            .map_err(|error| anyhow::anyhow!("{error}; there is\n{}", rows().unwrap_or_default()))
    };
    database.settle_counts()?;
    becomes("no word of the host", "[(2,4)]\tmissing\n[(7,8)]\tmissing\n")?;
    topic.produce(&[gap("open", Some((2, 4)), (1, 30), 1), gap("open", Some((7, 8)), (70, 80), 1)])?;
    becomes("both open", "[(2,4)]\thealing\n[(7,8)]\thealing\n")?;
    // Older words that come later, and what is no gap, change nothing.
    let nonsense = Record {
        payload: b"{\"schema\":1,\"exchange\":\"north\",\"state\":\"lost\"}".to_vec(),
        ..gap("open", None, (0, 0), 1)
    };
    topic.produce(&[gap("missing", Some((7, 8)), (70, 80), 3), nonsense, gap("open", Some((7, 8)), (70, 80), 2)])?;
    becomes("one given up", "[(2,4)]\thealing\n[(7,8)]\tmissing\n")?;
    let reason = database.query("SELECT reason FROM {db}.missing_ranges WHERE first_id = 7")?;
    ensure!(reason == "the exchange has no such trades\n", "{reason}");
    let refused = database.query("SELECT reason, source FROM {db}.quarantine FINAL")?;
    ensure!(refused == "gap: canonical_symbol is missing\tgap\n", "{refused}");
    database.insert(&[trade(2, 2), trade(3, 2), trade(4, 3)])?;
    topic.produce(&[gap("filled", Some((2, 4)), (1, 30), 4)])?;
    becomes("one filled", "[]\tcomplete\n[(7,8)]\tmissing\n")?;

    // Time alone, where ids say nothing: of a market without trades in that time, too.
    database.query("TRUNCATE TABLE {db}.trade_ids")?;
    topic.produce(&[gap("missing", None, (90, 190), 5)])?;
    database.query("SYSTEM REFRESH VIEW {db}.touch_uncounted")?;
    becomes("a gap in time", "[]\tcomplete\n[]\tmissing\n[]\tmissing\n[]\tmissing\n")
}
