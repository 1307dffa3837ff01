-- Touches again what the active hours left undone: minutes and hours that gold is behind with, and twins not yet buried.
-- It picks up what a refresh had no time for, what failed, and what a stop cut short.
CREATE MATERIALIZED VIEW IF NOT EXISTS {{database}}.touch_unfinished
REFRESH EVERY 30 SECOND APPEND TO {{database}}.touched_minutes AS
WITH active AS (SELECT exchange, canonical_symbol, minute FROM {{database}}.touched_in_active_hours)
SELECT exchange, canonical_symbol, minute, now64(3, 'UTC') AS touched_at
FROM
(
    SELECT exchange, canonical_symbol, minute
    FROM
    (
        SELECT exchange, canonical_symbol, minute, sum(marks) AS marks, toUInt64(0) AS version
        FROM {{database}}.minute_marks
        WHERE (exchange, canonical_symbol, minute) IN active AND minute >= {{silver_floor}}
        GROUP BY exchange, canonical_symbol, minute
        UNION ALL
        SELECT exchange, canonical_symbol, minute, 0, max(version)
        FROM {{database}}.gold_1m
        WHERE (exchange, canonical_symbol, minute) IN active AND minute >= {{silver_floor}}
        GROUP BY exchange, canonical_symbol, minute
    )
    GROUP BY exchange, canonical_symbol, minute
    HAVING max(marks) > max(version)
    ORDER BY minute DESC
    LIMIT 100000
    UNION ALL
    SELECT exchange, canonical_symbol, min(minute)
    FROM
    (
        SELECT exchange, canonical_symbol, edge, trade_id, minute, order, max(best_source) AS best, max(buried_source) AS buried
        FROM {{database}}.minute_marks
        WHERE toUnixTimestamp(edge) != 0
          AND minute >= {{silver_floor}}
          AND (exchange, canonical_symbol, minute) IN (SELECT exchange, canonical_symbol, arrayJoin([minute - 60, minute, minute + 60]) FROM active)
        GROUP BY exchange, canonical_symbol, edge, trade_id, minute, order
        HAVING best > 0
    )
    GROUP BY exchange, canonical_symbol, edge, trade_id
    HAVING countIf(best > buried) > 1
    LIMIT 100000
    UNION ALL
    SELECT exchange, canonical_symbol, hour
    FROM
    (
        SELECT exchange, canonical_symbol, toStartOfHour(minute) AS hour, sum(newest) AS wanted, toUInt64(0) AS made
        FROM
        (
            SELECT exchange, canonical_symbol, minute, max(version) AS newest
            FROM {{database}}.gold_1m
            WHERE (exchange, canonical_symbol, toStartOfHour(minute)) IN (SELECT exchange, canonical_symbol, toStartOfHour(minute) FROM active)
            GROUP BY exchange, canonical_symbol, minute
        )
        GROUP BY exchange, canonical_symbol, hour
        UNION ALL
        SELECT exchange, canonical_symbol, hour, 0, max(version)
        FROM {{database}}.gold_1h
        WHERE (exchange, canonical_symbol, hour) IN (SELECT exchange, canonical_symbol, toStartOfHour(minute) FROM active)
        GROUP BY exchange, canonical_symbol, hour
    )
    GROUP BY exchange, canonical_symbol, hour
    HAVING max(wanted) > max(made)
    LIMIT 100000
)
SETTINGS max_threads = 1, log_queries = 0
