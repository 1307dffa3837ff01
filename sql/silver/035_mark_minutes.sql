-- Marks a minute for every row that silver gets: a row for each trade near the minute's edge, and one for all others.
CREATE MATERIALIZED VIEW IF NOT EXISTS {{database}}.mark_minutes TO {{database}}.minute_marks AS
SELECT
    exchange,
    canonical_symbol,
    minute,
    row.1 AS edge,
    row.2 AS trade_id,
    row.3 AS order,
    if(toUnixTimestamp(edge) = 0, trades - length(near_edges), 1) AS marks,
    if(row.5 = 1, 0, row.4) AS best_source,
    if(row.5 = 1, row.4, 0) AS buried_source,
    if(toUnixTimestamp(edge) = 0, block, 0) AS blocks,
    if(toUnixTimestamp(edge) = 0, recent_blocks.highest, 0) AS highest
FROM {{database}}.recent_blocks
ARRAY JOIN arrayPushFront(near_edges, (toDateTime(0, 'UTC'), '', 0, 0, 0)) AS row
