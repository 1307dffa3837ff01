//! Mending what a mark left behind: the minute is marked again, and everything that is made of it follows.

use std::collections::BTreeSet;

use super::settle::Bucket;
use super::warehouse::{AuditError, Warehouse};

/// Minutes a statement.
const PORTION: usize = 500;

/// Marks the minutes of these buckets as `mark_minutes` would have, from the rows that silver has, and raises the marks above
/// every version that claims to have seen them.
///
/// Bars of five minutes to half an hour, and of days, hold nothing of their own: what they are made of is marked. An hour
/// is marked by a minute of its own. These marks are named `mended`, so that they do not count as copies of trades.
pub(super) async fn mark<'a>(
    warehouse: &Warehouse,
    buckets: impl Iterator<Item = &'a Bucket>,
) -> Result<(), AuditError> {
    let minutes: BTreeSet<(String, String, u32)> = buckets
        .filter(|bucket| matches!(bucket.step, 60 | 3_600))
        .map(|bucket| (bucket.exchange.clone(), bucket.market.clone(), bucket.start))
        .collect();
    let minutes: Vec<_> = minutes.into_iter().collect();
    let database = warehouse.database();
    let wanted = "arrayJoin(arrayZip({exchanges:Array(String)}, {markets:Array(String)}, {minutes:Array(UInt32)}))";
    let wanted = format!(
        "(SELECT w.1 AS exchange, w.2 AS canonical_symbol, toDateTime(w.3, 'UTC') AS minute FROM (SELECT {wanted} AS w))"
    );
    let again = format!(
        "INSERT INTO {database}.minute_marks (exchange, canonical_symbol, minute, edge, trade_id, order, marks, best_source, buried_source, highest) \
         WITH toUnixTimestamp64Micro(timestamp) % 60000000 AS offset, \
         multiIf(offset < 1000000, minute, offset >= 59000000, minute + 60, toDateTime(0, 'UTC')) AS near_edge \
         SELECT exchange, canonical_symbol, minute, near_edge AS edge, if(toUnixTimestamp(near_edge) = 0, '', silver_trades.trade_id) AS trade_id, \
         if(toUnixTimestamp(near_edge) = 0, 0, silver_trades.order) AS order, 0 AS marks, \
         max(if(is_deleted = 1, 0, CAST(source, 'UInt8'))) AS best_source, max(if(is_deleted = 1, CAST(source, 'UInt8'), 0)) AS buried_source, \
         max(silver_trades.order) AS highest \
         FROM {database}.silver_trades WHERE (exchange, canonical_symbol, minute) IN {wanted} \
         GROUP BY exchange, canonical_symbol, minute, edge, trade_id, order"
    );
    let raised = format!(
        "INSERT INTO {database}.minute_marks (exchange, canonical_symbol, minute, edge, trade_id, order, marks, best_source, buried_source) \
         SELECT exchange, canonical_symbol, minute, toDateTime(0, 'UTC'), 'mended', 0, toUInt64(1 + greatest(sum(silver), max(seen)) - least(sum(marked), greatest(sum(silver), max(seen)))), 0, 0 FROM (\
         SELECT exchange, canonical_symbol, minute, toUInt64(0) AS marked, toUInt64(0) AS seen, toUInt64(0) AS silver FROM {wanted} \
         UNION ALL SELECT exchange, canonical_symbol, minute, marks, 0, 0 FROM {database}.minute_marks WHERE (exchange, canonical_symbol, minute) IN {wanted} \
         UNION ALL SELECT exchange, canonical_symbol, minute, 0, 0, count() FROM {database}.silver_trades WHERE (exchange, canonical_symbol, minute) IN {wanted} GROUP BY exchange, canonical_symbol, minute \
         UNION ALL SELECT exchange, canonical_symbol, minute, 0, version, 0 FROM {database}.gold_1m WHERE (exchange, canonical_symbol, minute) IN {wanted} \
         UNION ALL SELECT exchange, canonical_symbol, minute, 0, version, 0 FROM {database}.minute_ids WHERE (exchange, canonical_symbol, minute) IN {wanted} \
         UNION ALL SELECT exchange, canonical_symbol, hour, 0, version, 0 FROM {database}.gold_1h WHERE (exchange, canonical_symbol, hour) IN {wanted} \
         UNION ALL SELECT exchange, canonical_symbol, hour, 0, version, 0 FROM {database}.hour_ids WHERE (exchange, canonical_symbol, hour) IN {wanted}) \
         GROUP BY exchange, canonical_symbol, minute"
    );
    for portion in minutes.chunks(PORTION) {
        warehouse.run_for(&again, portion).await?;
        warehouse.run_for(&raised, portion).await?;
    }
    Ok(())
}
