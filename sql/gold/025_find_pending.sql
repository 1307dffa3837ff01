-- Which of the minutes touched lately have marks that gold has not seen for a second and more, the newest first and at most 20,000 at
-- a time: a backfill of years is worked off in portions. What came a moment ago is left to `extend_minutes`.
CREATE MATERIALIZED VIEW IF NOT EXISTS {{database}}.find_pending
REFRESH EVERY 2 SECOND TO {{database}}.pending_minutes AS
WITH touched AS
(
    SELECT exchange, canonical_symbol, minute FROM {{database}}.touched_minutes
    WHERE touched_at > now64(3, 'UTC') - INTERVAL 1 MINUTE AND minute >= {{silver_floor}}
)
SELECT exchange, canonical_symbol, minute, max(marked) AS marks, max(marked_blocks) AS blocks, max(marked_highest) AS highest
FROM
(
    SELECT
        exchange, canonical_symbol, minute, sum(marks) AS marked, groupBitXor(blocks) AS marked_blocks, max(highest) AS marked_highest,
        toUInt64(0) AS made, toUInt64(0) AS fresh
    FROM {{database}}.minute_marks
    WHERE (exchange, canonical_symbol, minute) IN touched
    GROUP BY exchange, canonical_symbol, minute
    UNION ALL
    SELECT exchange, canonical_symbol, minute, 0, 0, 0, version, 0
    FROM {{database}}.gold_1m
    WHERE (exchange, canonical_symbol, minute) IN touched
    UNION ALL
    SELECT exchange, canonical_symbol, minute, 0, 0, 0, 0, trades
    FROM {{database}}.recent_blocks
    WHERE arrived_at > now64(3, 'UTC') - INTERVAL 1200 MILLISECOND
)
GROUP BY exchange, canonical_symbol, minute
HAVING marks > max(made) + sum(fresh)
ORDER BY minute DESC
LIMIT 20000
SETTINGS max_threads = 1, log_queries = 0
