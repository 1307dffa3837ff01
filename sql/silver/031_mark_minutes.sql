-- Marks a minute for every row that silver gets, redelivered and deleted ones too. It hangs off silver so that a mark is
-- only there when its rows are: a crash between the two is followed by redelivery, and that marks again.
CREATE MATERIALIZED VIEW IF NOT EXISTS {{database}}.mark_minutes TO {{database}}.minute_marks AS
WITH
    toUnixTimestamp64Micro(timestamp) % 60000000 AS offset,
    multiIf(offset < 1000000, minute, offset >= 59000000, minute + 60, toDateTime(0, 'UTC')) AS near_edge
SELECT
    exchange,
    canonical_symbol,
    minute,
    near_edge AS edge,
    if(toUnixTimestamp(near_edge) = 0, '', trade_id) AS trade_id,
    if(toUnixTimestamp(near_edge) = 0, 0, order) AS order,
    count() AS marks,
    max(if(is_deleted = 1, 0, CAST(source, 'UInt8'))) AS best_source,
    max(if(is_deleted = 1, CAST(source, 'UInt8'), 0)) AS buried_source
FROM {{database}}.silver_trades
GROUP BY exchange, canonical_symbol, minute, edge, trade_id, order
