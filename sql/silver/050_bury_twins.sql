-- Two copies of one trade on either side of a minute's edge have two keys, and would count twice. Of such twins the better
-- source wins, then the earlier minute; this buries the others: a row with is_deleted = 1 under the loser's key, with a
-- version above every copy of the loser's source. A loser that comes again loses again; a better copy that comes later
-- under the same key rises above the burial and is judged anew. Which copy wins depends on the copies alone.
CREATE MATERIALIZED VIEW IF NOT EXISTS {{database}}.bury_twins
REFRESH EVERY 5 SECOND APPEND TO {{database}}.silver_trades AS
WITH copies AS
(
    SELECT
        exchange, canonical_symbol, edge, trade_id, minute, order,
        max(best_source) AS best_source,
        max(buried_source) AS buried_source
    FROM {{database}}.minute_marks
    WHERE toUnixTimestamp(edge) != 0
      AND minute >= {{silver_floor}}
      AND (exchange, canonical_symbol, minute) IN
      (
          SELECT exchange, canonical_symbol, arrayJoin([minute - 60, minute, minute + 60])
          FROM {{database}}.touched_minutes
          WHERE touched_at > now64(3, 'UTC') - INTERVAL 1 MINUTE
      )
    GROUP BY exchange, canonical_symbol, edge, trade_id, minute, order
),
losers AS
(
    SELECT
        exchange, canonical_symbol, edge, trade_id,
        arraySort(copy -> (-copy.1, copy.2, copy.3), groupArray((best_source, minute, order, buried_source))) AS ranked,
        arrayJoin(arraySlice(ranked, 2)) AS loser
    FROM copies
    WHERE best_source > 0
    GROUP BY exchange, canonical_symbol, edge, trade_id
    HAVING length(ranked) > 1 AND loser.1 > loser.4
)
SELECT
    exchange,
    '' AS symbol,
    canonical_symbol,
    '' AS market_kind,
    trade_id,
    loser.3 AS order,
    0 AS count,
    0 AS price,
    0 AS quantity,
    'UNKNOWN' AS side,
    if(edge = loser.2, toDateTime64(edge, 6, 'UTC'), subtractMicroseconds(toDateTime64(edge, 6, 'UTC'), 1)) AS timestamp,
    loser.2 AS minute,
    CAST(loser.1, 'Enum8(\'backfill\' = 1, \'snapshot\' = 2, \'live\' = 3)') AS source,
    timestamp AS received_at,
    '' AS vendor,
    bitShiftLeft(toUInt32(loser.1), 27) + 134217727 AS version,
    1 AS is_deleted
FROM losers
SETTINGS max_threads = 1, log_queries = 0
