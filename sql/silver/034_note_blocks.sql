-- Sums up what a block of silver's rows brings to each of its minutes, redelivered and deleted rows too. It hangs off silver so
-- that a block is only noted and marked when its rows are there: a crash between the two is followed by redelivery, and
-- that is noted again.
CREATE MATERIALIZED VIEW IF NOT EXISTS {{database}}.note_blocks TO {{database}}.recent_blocks AS
WITH
    toUnixTimestamp64Micro(timestamp) AS at_us,
    bitShiftLeft(toUInt128(at_us), 64) + order AS place
SELECT
    exchange,
    canonical_symbol,
    minute,
    rand64() AS block,
    count() AS trades,
    uniqExactIf(order, is_deleted = 0) AS orders,
    min(order) AS lowest,
    max(order) AS highest,
    argMin(price, place) AS open,
    min(timestamp) AS opened,
    max(price) AS high,
    min(price) AS low,
    argMax(price, place) AS close,
    max(timestamp) AS closed,
    sum(toDecimal256(quantity, 12)) AS volume,
    sum(toDecimal256(price, 12) * toDecimal256(quantity, 12)) AS quote_volume,
    groupArrayIf(
        (if(at_us % 60000000 < 1000000, minute, minute + 60), trade_id, order, CAST(source, 'UInt8'), is_deleted),
        at_us % 60000000 < 1000000 OR at_us % 60000000 >= 59000000
    ) AS near_edges,
    now64(3, 'UTC') AS arrived_at
FROM {{database}}.silver_trades
GROUP BY exchange, canonical_symbol, minute
