-- Compares all that there is, as `sweep` does for candles: touches minutes that were never counted to the end, and hours that
-- are behind their minutes. What was there before completeness was kept is found by it too, as it runs when it is made.
CREATE MATERIALIZED VIEW IF NOT EXISTS {{database}}.sweep_uncounted
REFRESH EVERY 6 HOUR APPEND TO {{database}}.touched_minutes AS
SELECT exchange, canonical_symbol, minute, now64(3, 'UTC') AS touched_at
FROM
(
    SELECT exchange, canonical_symbol, minute
    FROM
    (
        SELECT exchange, canonical_symbol, minute, sum(marks) AS marked, toUInt64(0) AS made
        FROM {{database}}.minute_marks
        WHERE minute >= {{silver_floor}}
        GROUP BY exchange, canonical_symbol, minute
        UNION ALL
        SELECT exchange, canonical_symbol, minute, 0, max(version)
        FROM {{database}}.minute_ids
        WHERE minute >= {{silver_floor}}
        GROUP BY exchange, canonical_symbol, minute
    )
    GROUP BY exchange, canonical_symbol, minute
    HAVING max(marked) > max(made)
    UNION ALL
    SELECT exchange, canonical_symbol, hour
    FROM
    (
        SELECT exchange, canonical_symbol, toStartOfHour(minute) AS hour, sum(newest) AS wanted, toUInt64(0) AS made
        FROM
        (
            SELECT exchange, canonical_symbol, minute, max(version) AS newest
            FROM {{database}}.minute_ids
            GROUP BY exchange, canonical_symbol, minute
        )
        GROUP BY exchange, canonical_symbol, hour
        UNION ALL
        SELECT exchange, canonical_symbol, hour, 0, max(version)
        FROM {{database}}.hour_ids
        GROUP BY exchange, canonical_symbol, hour
    )
    GROUP BY exchange, canonical_symbol, hour
    HAVING max(wanted) > max(made)
)
SETTINGS max_threads = 1, max_bytes_ratio_before_external_group_by = 0.3, log_queries = 0
