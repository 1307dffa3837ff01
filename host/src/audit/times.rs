//! The times of which trades are missing, where ids show nothing.

use clickhouse::Row;
use jiff::Timestamp;
use serde::Deserialize;

use super::days::Day;
use super::report::{Difference, Part, because, time};
use super::warehouse::{AuditError, Warehouse};

/// The most stretches of a day that are listed.
const MOST: u32 = 10_000;

/// A stretch of time, µs since 1970.
#[derive(Row, Deserialize)]
struct Stretch {
    exchange: String,
    market: String,
    start_us: i64,
    end_us: i64,
    state: String,
    reason: String,
}

/// The stretches that touch a day.
pub(super) async fn missing(warehouse: &Warehouse, day: Day) -> Result<Vec<Difference>, AuditError> {
    let sql = format!(
        "SELECT toString(exchange) AS exchange, toString(canonical_symbol) AS market, \
         toUnixTimestamp64Micro(started_at) AS start_us, toUnixTimestamp64Micro(ended_at) AS end_us, state, reason \
         FROM {}.missing_times WHERE ended_at >= toDateTime({{from:UInt32}}, 'UTC') \
         AND started_at < toDateTime({{to:UInt32}}, 'UTC') ORDER BY exchange, market, start_us, end_us LIMIT {MOST}",
        warehouse.database()
    );
    let stretches: Vec<Stretch> = warehouse.of_day(&sql, day).await?;
    Ok(stretches.into_iter().map(|stretch| difference(stretch, day)).collect())
}

/// A stretch of several days is told once a day.
fn difference(stretch: Stretch, day: Day) -> Difference {
    let Stretch { exchange, market, start_us, end_us, state, reason } = stretch;
    let shown = |us: i64| Timestamp::from_microsecond(us).map_or_else(|_| us.to_string(), |time| time.to_string());
    let first = u32::try_from(start_us.div_euclid(1_000_000)).unwrap_or(0).max(day.from);
    let because = because(&reason);
    Difference {
        part: Part::Silver,
        kind: state,
        exchange,
        subject: market,
        at: time(first),
        detail: format!("trades from {} to {}{because}", shown(start_us), shown(end_us)),
    }
}
