-- Candles of any step in seconds, computed from silver when asked: exact at this instant, twins included. Example:
-- SELECT * FROM ohlcv_now(exchange = 'x', market = 'BTC/USDT', from = '2026-01-01 00:00:00', to = '2026-01-01 01:00:00', step = 60)
-- A trade within a second of a minute's edge is compared with its copies there, up to a second outside of the range.
CREATE VIEW IF NOT EXISTS {{database}}.ohlcv_now AS
WITH
    {from:DateTime64(6, 'UTC')} AS range_start,
    {to:DateTime64(6, 'UTC')} AS range_end,
    near AS
    (
        SELECT
            exchange, canonical_symbol, trade_id, order, price, quantity, timestamp, source,
            toUnixTimestamp64Micro(timestamp) % 60000000 AS offset,
            multiIf(offset < 1000000, minute, offset >= 59000000, minute + 60, toDateTime(0, 'UTC')) AS edge
        FROM {{database}}.silver_trades FINAL
        WHERE exchange = {exchange:String}
          AND canonical_symbol = {market:String}
          AND minute >= toStartOfMinute(range_start - INTERVAL 1 SECOND)
          AND minute <= range_end + INTERVAL 1 SECOND
          AND timestamp >= range_start - INTERVAL 1 SECOND
          AND timestamp < range_end + INTERVAL 1 SECOND
    )
SELECT
    exchange,
    canonical_symbol,
    toDateTime(toStartOfInterval(timestamp, toIntervalSecond({step:UInt32})), 'UTC') AS bucket,
    argMin(trade.price, (timestamp, order, trade_id)) AS open,
    max(trade.price) AS high,
    min(trade.price) AS low,
    argMax(trade.price, (timestamp, order, trade_id)) AS close,
    sum(toDecimal256(trade.quantity, 12)) AS volume,
    sum(toDecimal256(trade.price, 12) * toDecimal256(trade.quantity, 12)) AS quote_volume,
    count() AS trades
FROM
(
    SELECT exchange, canonical_symbol, trade_id, order, price, quantity, timestamp FROM near WHERE toUnixTimestamp(edge) = 0
    UNION ALL
    SELECT exchange, canonical_symbol, trade_id, order, price, quantity, timestamp FROM
    (
        SELECT * FROM near WHERE toUnixTimestamp(edge) != 0
        ORDER BY source DESC, timestamp, order
        LIMIT 1 BY edge, trade_id
    )
) AS trade
WHERE timestamp >= range_start AND timestamp < range_end
GROUP BY exchange, canonical_symbol, bucket
SETTINGS do_not_merge_across_partitions_select_final = 1
