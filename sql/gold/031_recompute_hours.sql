-- Recomputes the hours of the minutes touched lately whose minutes have changed since.
CREATE MATERIALIZED VIEW IF NOT EXISTS {{database}}.recompute_hours
REFRESH EVERY 5 SECOND APPEND TO {{database}}.gold_1h AS
SELECT made.*
FROM
(
    SELECT
        exchange,
        canonical_symbol,
        toStartOfHour(minute) AS hour,
        argMinIf(gold_1m.open, minute, gold_1m.trades > 0) AS open,
        maxIf(gold_1m.high, gold_1m.trades > 0) AS high,
        minIf(gold_1m.low, gold_1m.trades > 0) AS low,
        argMaxIf(gold_1m.close, minute, gold_1m.trades > 0) AS close,
        sum(gold_1m.volume) AS volume,
        sum(gold_1m.quote_volume) AS quote_volume,
        sum(gold_1m.trades) AS trades,
        sum(gold_1m.version) AS version
    FROM {{database}}.gold_1m FINAL
    WHERE (exchange, canonical_symbol, toStartOfHour(minute)) IN
    (
        SELECT exchange, canonical_symbol, toStartOfHour(minute) FROM {{database}}.touched_minutes
        WHERE touched_at > now64(3, 'UTC') - INTERVAL 1 MINUTE
    )
    GROUP BY exchange, canonical_symbol, hour
) AS made
LEFT JOIN
(
    SELECT exchange, canonical_symbol, hour, max(version) AS version
    FROM {{database}}.gold_1h
    WHERE (exchange, canonical_symbol, hour) IN
    (
        SELECT exchange, canonical_symbol, toStartOfHour(minute) FROM {{database}}.touched_minutes
        WHERE touched_at > now64(3, 'UTC') - INTERVAL 1 MINUTE
    )
    GROUP BY exchange, canonical_symbol, hour
) AS known USING (exchange, canonical_symbol, hour)
WHERE made.version != known.version
SETTINGS max_threads = 1, do_not_merge_across_partitions_select_final = 1, log_queries = 0
