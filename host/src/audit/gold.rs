//! Candles against a recomputation from silver's distinct trades, all six intervals in one pass over a day.

use super::days::Day;
use super::report::{Difference, Part};
use super::settle::{Bucket, Comparison};
use super::warehouse::{AuditError, Warehouse};
use crate::candles::Interval;

/// A candle as one text, exact, so that it compares and shows itself.
const CANDLE: &str = "concat('open ', toString(o), ', high ', toString(h), ', low ', toString(l), ', close ', toString(c), \
                      ', volume ', toString(v), ', in quote ', toString(q), ', trades ', toString(n))";

const STEPS: [(Interval, u32); 6] = [
    (Interval::OneMinute, 60),
    (Interval::FiveMinutes, 300),
    (Interval::FifteenMinutes, 900),
    (Interval::ThirtyMinutes, 1_800),
    (Interval::OneHour, 3_600),
    (Interval::OneDay, 86_400),
];

fn interval(step: u32) -> &'static str {
    STEPS.iter().find(|(_, seconds)| *seconds == step).map_or("", |(interval, _)| interval.name())
}

/// The candles of a day that differ from silver.
pub(super) fn comparison(database: &str) -> Comparison {
    let of_day = |time: &str| {
        format!("{time} >= toDateTime({{from:UInt32}}, 'UTC') AND {time} < toDateTime({{to:UInt32}}, 'UTC')")
    };
    let steps: Vec<String> = STEPS.iter().map(|(_, seconds)| format!("toUInt32({seconds})")).collect();
    let steps = format!("arrayJoin([{}]) AS step", steps.join(", "));
    let start = "toUInt32(intDiv(toUnixTimestamp(minute), step) * step) AS start";
    let silver = format!(
        "SELECT step, exchange, canonical_symbol AS market, start, {CANDLE} AS expected, '' AS found, 0 AS marks, 0 AS version FROM \
         (SELECT step, exchange, canonical_symbol, start, argMin(m.o, minute) AS o, max(m.h) AS h, min(m.l) AS l, \
         argMax(m.c, minute) AS c, sum(m.v) AS v, sum(m.q) AS q, sum(m.n) AS n FROM \
         (SELECT {steps}, {start}, * FROM \
         (SELECT exchange, canonical_symbol, minute, argMin(price, (timestamp, order, trade_id)) AS o, max(price) AS h, \
         min(price) AS l, argMax(price, (timestamp, order, trade_id)) AS c, sum(toDecimal256(quantity, 12)) AS v, \
         sum(quote_quantity) AS q, count() AS n FROM {database}.silver_trades FINAL WHERE {} \
         GROUP BY exchange, canonical_symbol, minute)) AS m \
         GROUP BY step, exchange, canonical_symbol, start)",
        of_day("minute")
    );
    let gold = STEPS.iter().map(|(interval, seconds)| {
        format!(
            "SELECT toUInt32({seconds}), exchange, canonical_symbol, toUnixTimestamp(bucket), '', {CANDLE}, 0, 0 FROM \
             (SELECT exchange, canonical_symbol, bucket, open AS o, high AS h, low AS l, close AS c, volume AS v, \
             quote_volume AS q, trades AS n FROM {database}.ohlcv_{interval} WHERE {})",
            of_day("bucket")
        )
    });
    let marks = format!(
        "SELECT {steps}, exchange, canonical_symbol, {start}, '', '', m, 0 FROM (SELECT exchange, canonical_symbol, minute, \
         sum(marks) AS m FROM {database}.minute_marks WHERE {} GROUP BY exchange, canonical_symbol, minute)",
        of_day("minute")
    );
    let minute_versions = format!(
        "SELECT arrayJoin([toUInt32(60), toUInt32(300), toUInt32(900), toUInt32(1800)]) AS step, exchange, canonical_symbol, \
         {start}, '', '', 0, version FROM {database}.gold_1m FINAL WHERE {}",
        of_day("minute")
    );
    let hour_versions = format!(
        "SELECT arrayJoin([toUInt32(3600), toUInt32(86400)]) AS step, exchange, canonical_symbol, \
         toUInt32(intDiv(toUnixTimestamp(hour), step) * step) AS start, '', '', 0, version FROM {database}.gold_1h FINAL WHERE {}",
        of_day("hour")
    );
    let mut parts = vec![silver];
    parts.extend(gold);
    parts.extend([marks, minute_versions, hour_versions]);
    let sql = format!(
        "SELECT step, exchange, market, start, max(side.expected) AS expected, max(side.found) AS found, \
         toUInt64(sum(side.marks)) AS marks, toUInt64(sum(side.version)) AS version FROM ({}) AS side \
         GROUP BY step, exchange, market, start HAVING expected != found",
        parts.join(" UNION ALL ")
    );
    Comparison { sql }
}

/// How many candles of a day there are.
pub(super) async fn compared(warehouse: &Warehouse, day: Day) -> Result<u64, AuditError> {
    let views = STEPS.iter().map(|(interval, _)| {
        format!(
            "SELECT count() AS candles FROM {}.ohlcv_{interval} WHERE bucket >= toDateTime({{from:UInt32}}, 'UTC') \
             AND bucket < toDateTime({{to:UInt32}}, 'UTC')",
            warehouse.database()
        )
    });
    let sql = format!("SELECT sum(candles) FROM ({})", views.collect::<Vec<_>>().join(" UNION ALL "));
    Ok(warehouse.of_day::<u64>(&sql, day).await?.into_iter().sum())
}

pub(super) fn difference(bucket: &Bucket) -> Difference {
    let (kind, detail) = if bucket.version < bucket.marks {
        let (seen, marks) = (bucket.version, bucket.marks);
        ("candle behind", format!("gold has seen {seen} of {marks} marks and does not catch up"))
    } else if bucket.found.is_empty() {
        ("candle missing", format!("silver gives {}", bucket.expected))
    } else if bucket.expected.is_empty() {
        ("candle without trades", format!("gold has {}", bucket.found))
    } else {
        ("candle differs", format!("gold has {}; silver gives {}", bucket.found, bucket.expected))
    };
    Difference {
        part: Part::Gold,
        kind: kind.to_owned(),
        exchange: bucket.exchange.clone(),
        subject: format!("{} {}", bucket.market, interval(bucket.step)),
        at: super::report::time(bucket.start),
        detail,
    }
}
