//! Trades that silver has twice: copies on either side of a minute's edge of which none was buried.

use clickhouse::Row;
use serde::Deserialize;

use super::days::Day;
use super::report::{Difference, Part, time};
use super::warehouse::{AuditError, Warehouse};

/// The most that are listed of a day.
const MOST: u32 = 1_000;
/// Pause before a second look, longer than `bury_twins` needs.
const PAUSE: std::time::Duration = std::time::Duration::from_secs(12);

#[derive(PartialEq, Row, Deserialize)]
struct Twins {
    exchange: String,
    market: String,
    edge: u32,
    trade_id: String,
    copies: u64,
}

/// The twins of a day that are still there when they should have been buried.
pub(super) async fn twins(warehouse: &Warehouse, day: Day) -> Result<Vec<Difference>, AuditError> {
    let sql = format!(
        "SELECT exchange, market, toUnixTimestamp(edge_minute) AS edge, trade_id, copies FROM (\
         SELECT toString(exchange) AS exchange, toString(canonical_symbol) AS market, trade_id, count() AS copies, \
         if(toUnixTimestamp64Micro(timestamp) % 60000000 < 30000000, minute, minute + 60) AS edge_minute \
         FROM {}.silver_trades FINAL WHERE minute >= toDateTime({{from:UInt32}}, 'UTC') - 60 \
         AND minute < toDateTime({{to:UInt32}}, 'UTC') \
         AND (toUnixTimestamp64Micro(timestamp) % 60000000 < 1000000 OR toUnixTimestamp64Micro(timestamp) % 60000000 >= 59000000) \
         GROUP BY exchange, market, edge_minute, trade_id HAVING copies > 1 AND edge_minute < toDateTime({{to:UInt32}}, 'UTC')) \
         ORDER BY exchange, market, edge, trade_id LIMIT {MOST}",
        warehouse.database()
    );
    let before: Vec<Twins> = warehouse.of_day(&sql, day).await?;
    if before.is_empty() {
        return Ok(Vec::new());
    }
    tokio::time::sleep(PAUSE).await;
    let now: Vec<Twins> = warehouse.of_day(&sql, day).await?;
    Ok(now.into_iter().filter(|twins| before.contains(twins)).map(difference).collect())
}

fn difference(twins: Twins) -> Difference {
    let Twins { exchange, market, edge, trade_id, copies } = twins;
    let id = crate::plugin::bounded_escaped(&trade_id, 100);
    Difference {
        part: Part::Silver,
        kind: "twice".to_owned(),
        exchange,
        subject: market,
        at: time(edge),
        detail: format!("trade {id} counts {copies} times, on both sides of this minute's edge"),
    }
}
