-- Where trades only go on, as they do nearly always, a minute's candle is gold's and those of the new blocks. It is exact if no
-- trade can be in it twice and none is left out: each order occurs once in its block, the blocks lie one above the other and
-- all above what gold has seen (`before`), and their number and names are those of the minute's marks. Any other minute is
-- left to `find_pending`.
CREATE MATERIALIZED VIEW IF NOT EXISTS {{database}}.extend_minutes
REFRESH EVERY 1 SECOND APPEND TO {{database}}.gold_1m AS
WITH lately AS
(
    SELECT exchange, canonical_symbol, minute FROM {{database}}.recent_blocks WHERE arrived_at > now64(3, 'UTC') - INTERVAL 10 SECOND
)
SELECT
    exchange,
    canonical_symbol,
    minute,
    argMin(part.open, (part.opened, lowest)) AS open,
    max(part.high) AS high,
    min(part.low) AS low,
    argMax(part.close, (part.closed, highest)) AS close,
    sum(part.volume) AS volume,
    sum(part.quote_volume) AS quote_volume,
    sum(part.trades) AS trades,
    sum(seen) AS version,
    min(part.opened) AS opened,
    max(part.closed) AS closed,
    max(highest) AS reach,
    groupBitXor(block) AS blocks
FROM
(
    SELECT
        *,
        max(highest) OVER
        (
            PARTITION BY exchange, canonical_symbol, minute ORDER BY lowest ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
        ) AS before
    FROM
    (
        SELECT
            exchange, canonical_symbol, minute, 1 AS is_gold, version AS seen, blocks AS block, 0 AS lowest, reach AS highest, trades,
            trades AS orders, open, opened, high, low, close, closed, volume, quote_volume
        FROM {{database}}.gold_1m FINAL
        WHERE (exchange, canonical_symbol, minute) IN lately AND trades > 0
        UNION ALL
        SELECT
            exchange, canonical_symbol, minute, 0, trades, block, lowest, highest, trades, orders, open, opened, high, low, close, closed,
            volume, quote_volume
        FROM {{database}}.recent_blocks
        WHERE arrived_at > now64(3, 'UTC') - INTERVAL 10 SECOND
    )
) AS part
WHERE is_gold OR lowest > before
GROUP BY exchange, canonical_symbol, minute
HAVING min(is_gold) = 0
   AND trades = sum(orders)
   AND (exchange, canonical_symbol, minute, version, blocks) IN
   (
       SELECT exchange, canonical_symbol, minute, sum(marks), groupBitXor(blocks)
       FROM {{database}}.minute_marks
       WHERE (exchange, canonical_symbol, minute) IN lately
       GROUP BY exchange, canonical_symbol, minute
   )
SETTINGS max_threads = 1, log_queries = 0
