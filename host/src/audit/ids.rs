//! Silver against ids: what is missing, and whether that was counted from what silver holds now.

use clickhouse::Row;
use serde::Deserialize;

use super::days::Day;
use super::report::{Difference, Part, because, time};
use super::settle::{Bucket, Comparison};
use super::warehouse::{AuditError, Warehouse};

/// The most ranges of a day that are listed.
const MOST: u32 = 10_000;

/// A count as one text.
const COUNT: &str = "concat(toString(n), ' trades (', toString(live), ' live, ', toString(snapshot), ' snapshot, ', \
                     toString(backfill), ' backfill), ids ', if(empty(runs), 'none', arrayStringConcat(arrayMap(run -> \
                     if(run.1 = run.2, toString(run.1), concat(toString(run.1), '-', toString(run.2))), runs), ' ')))";

/// The minutes of a day that were counted otherwise than silver is, and the hours that are not what their minutes give.
pub(super) fn comparison(database: &str) -> Comparison {
    let of_day = |time: &str| {
        format!("{time} >= toDateTime({{from:UInt32}}, 'UTC') AND {time} < toDateTime({{to:UInt32}}, 'UTC')")
    };
    let (of_minutes, of_hours) = (of_day("minute"), of_day("hour"));
    // As count_minutes does it.
    let silver = format!(
        "SELECT toUInt32(60) AS step, exchange, canonical_symbol AS market, toUnixTimestamp(minute) AS start, {COUNT} AS expected, \
         '' AS found, 0 AS marks, 0 AS version FROM (\
         SELECT exchange, canonical_symbol, minute, n, live, snapshot, backfill, \
         if(rules[toString(exchange)] IN ('dense', 'aggregated'), members, []) AS known, known.1 AS highs, \
         arrayMap(member -> toUInt64(member.1 - least(member.1, toUInt64(if(rules[toString(exchange)] = 'aggregated', member.2 - 1, 0)))), known) AS lows, \
         arrayPopBack(highs) AS highs_before, arrayPopFront(lows) AS lows_after, \
         arrayZip(arrayConcat(arraySlice(lows, 1, 1), arrayFilter((low, high) -> low > high AND low > high + 1, lows_after, highs_before)), \
         arrayConcat(arrayFilter((high, low) -> low > high AND low > high + 1, highs_before, lows_after), arraySlice(highs, -1, 1))) AS runs \
         FROM (SELECT exchange, canonical_symbol, minute, count() AS n, countIf(source = 'live') AS live, \
         countIf(source = 'snapshot') AS snapshot, countIf(source = 'backfill') AS backfill, \
         arraySort(groupArray((order, count))) AS members FROM {database}.silver_trades FINAL WHERE {of_minutes} \
         GROUP BY exchange, canonical_symbol, minute))"
    );
    let counted = format!(
        "SELECT toUInt32(60), exchange, canonical_symbol, toUnixTimestamp(minute), '', if(n > 0, {COUNT}, ''), 0, version FROM \
         (SELECT exchange, canonical_symbol, minute, trades AS n, live, snapshot, backfill, runs, version \
         FROM {database}.minute_ids FINAL WHERE {of_minutes})"
    );
    let marks = format!(
        "SELECT toUInt32(60), exchange, canonical_symbol, toUnixTimestamp(minute), '', '', sum(minute_marks.marks), 0 \
         FROM {database}.minute_marks WHERE {of_minutes} GROUP BY exchange, canonical_symbol, minute"
    );
    let wanted_hours = format!(
        "SELECT toUInt32(3600), exchange, canonical_symbol, toUnixTimestamp(hour), {COUNT}, '', version, 0 FROM \
         (SELECT exchange, canonical_symbol, hour, trades AS n, live, snapshot, backfill, runs, version \
         FROM {database}.hours_of_minutes WHERE {of_hours})"
    );
    let hours = format!(
        "SELECT toUInt32(3600), exchange, canonical_symbol, toUnixTimestamp(hour), '', {COUNT}, 0, version FROM \
         (SELECT exchange, canonical_symbol, hour, trades AS n, live, snapshot, backfill, runs, version \
         FROM {database}.hour_ids FINAL WHERE {of_hours})"
    );
    let sql = format!(
        "WITH (SELECT mapFromArrays(groupArray(toString(exchange)), groupArray(toString(ids))) FROM {database}.trade_ids FINAL) AS rules \
         SELECT step, exchange, market, start, max(side.expected) AS expected, max(side.found) AS found, \
         toUInt64(sum(side.marks)) AS marks, toUInt64(sum(side.version)) AS version FROM ({}) AS side \
         GROUP BY step, exchange, market, start HAVING expected != found",
        [silver, counted, marks, wanted_hours, hours].join(" UNION ALL ")
    );
    Comparison { sql }
}

/// How many trades silver has on a day.
pub(super) async fn compared(warehouse: &Warehouse, day: Day) -> Result<u64, AuditError> {
    let sql = format!(
        "SELECT sum(trades) FROM {}.hour_ids FINAL WHERE hour >= toDateTime({{from:UInt32}}, 'UTC') \
         AND hour < toDateTime({{to:UInt32}}, 'UTC')",
        warehouse.database()
    );
    Ok(warehouse.of_day::<u64>(&sql, day).await?.into_iter().sum())
}

/// What a minute or an hour holds that was not counted, or was counted and is gone.
pub(super) fn difference(bucket: &Bucket) -> Difference {
    let shown = |text: &str| if text.is_empty() { "nothing".to_owned() } else { shortened(text) };
    let (expected, found) = (shown(&bucket.expected), shown(&bucket.found));
    let (kind, detail) = match (bucket.version < bucket.marks, bucket.step) {
        (true, _) => ("count behind", format!("{} of {} marks are counted, and no more", bucket.version, bucket.marks)),
        (false, 60) => ("silver changed", format!("counted were {found}; silver has {expected}")),
        (false, _) => ("hour differs", format!("it says {found}; its minutes give {expected}")),
    };
    Difference {
        part: Part::Silver,
        kind: kind.to_owned(),
        exchange: bucket.exchange.clone(),
        subject: bucket.market.clone(),
        at: time(bucket.start),
        detail,
    }
}

/// Enough of a text that may list thousands of ids.
fn shortened(text: &str) -> String {
    const SHOWN: usize = 400;
    if text.chars().count() <= SHOWN {
        return text.to_owned();
    }
    text.chars().take(SHOWN).chain(" …".chars()).collect()
}

#[derive(Row, Deserialize)]
struct Hole {
    exchange: String,
    market: String,
    hour: u32,
    first: u64,
    last: u64,
    state: String,
    reason: String,
}

/// The ids that are missing in a day.
pub(super) async fn missing(warehouse: &Warehouse, day: Day) -> Result<Vec<Difference>, AuditError> {
    let sql = format!(
        "SELECT toString(exchange) AS exchange, toString(canonical_symbol) AS market, toUnixTimestamp(missing_ranges.hour) AS hour, \
         first_id AS first, last_id AS last, state, reason FROM {}.missing_ranges \
         WHERE missing_ranges.hour >= toDateTime({{from:UInt32}}, 'UTC') AND missing_ranges.hour < toDateTime({{to:UInt32}}, 'UTC') \
         ORDER BY exchange, market, hour, first LIMIT {MOST}",
        warehouse.database()
    );
    let holes: Vec<Hole> = warehouse.of_day(&sql, day).await?;
    Ok(holes.into_iter().map(hole).collect())
}

fn hole(hole: Hole) -> Difference {
    let Hole { exchange, market, hour, first, last, state, reason } = hole;
    let what = match last - first.min(last) {
        0 => format!("id {first}"),
        more => format!("ids {first} to {last}, {} of them", u128::from(more) + 1),
    };
    let because = because(&reason);
    Difference {
        part: Part::Silver,
        kind: state,
        exchange,
        subject: market,
        at: time(hour),
        detail: format!("{what}{because}"),
    }
}
