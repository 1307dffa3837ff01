-- Which of the minutes touched lately have marks that gold has not seen, the newest first and at most 5,000 at a time: a
-- backfill of years is worked off in portions, and live candles stay fresh.
CREATE MATERIALIZED VIEW IF NOT EXISTS {{database}}.find_pending
REFRESH EVERY 1 SECOND TO {{database}}.pending_minutes AS
SELECT exchange, canonical_symbol, minute, max(marked) AS marks
FROM
(
    SELECT exchange, canonical_symbol, minute, sum(marks) AS marked, toUInt64(0) AS made
    FROM {{database}}.minute_marks
    WHERE (exchange, canonical_symbol, minute) IN
    (
        SELECT exchange, canonical_symbol, minute FROM {{database}}.touched_minutes
        WHERE touched_at > now64(3, 'UTC') - INTERVAL 1 MINUTE AND minute >= {{silver_floor}}
    )
    GROUP BY exchange, canonical_symbol, minute
    UNION ALL
    SELECT exchange, canonical_symbol, minute, 0, version
    FROM {{database}}.gold_1m
    WHERE (exchange, canonical_symbol, minute) IN
    (
        SELECT exchange, canonical_symbol, minute FROM {{database}}.touched_minutes
        WHERE touched_at > now64(3, 'UTC') - INTERVAL 1 MINUTE AND minute >= {{silver_floor}}
    )
)
GROUP BY exchange, canonical_symbol, minute
HAVING marks > max(made)
ORDER BY minute DESC
LIMIT 5000
SETTINGS max_threads = 1, log_queries = 0
