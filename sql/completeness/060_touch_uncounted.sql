-- Touches again what the active hours left uncounted, and hours that were counted by another rule than the plugin's now.
CREATE MATERIALIZED VIEW IF NOT EXISTS {{database}}.touch_uncounted
REFRESH EVERY 1 MINUTE APPEND TO {{database}}.touched_minutes AS
WITH
    (
        SELECT mapFromArrays(groupArray(toString(exchange)), groupArray(toString(ids)))
        FROM {{database}}.trade_ids FINAL
    ) AS rules,
    active AS (SELECT exchange, canonical_symbol, minute FROM {{database}}.touched_in_active_hours),
    of_another_rule AS
    (
        SELECT exchange, canonical_symbol, hour
        FROM {{database}}.hour_ids FINAL
        WHERE ids != rules[toString(exchange)] AND hour >= {{silver_floor}}
        ORDER BY hour DESC
        LIMIT 1000
    )
SELECT exchange, canonical_symbol, minute, now64(3, 'UTC') AS touched_at
FROM
(
    SELECT exchange, canonical_symbol, minute
    FROM
    (
        SELECT exchange, canonical_symbol, minute, sum(marks) AS marked, toUInt64(0) AS made
        FROM {{database}}.minute_marks
        WHERE (exchange, canonical_symbol, minute) IN active AND minute >= {{silver_floor}}
        GROUP BY exchange, canonical_symbol, minute
        UNION ALL
        SELECT exchange, canonical_symbol, minute, 0, max(version)
        FROM {{database}}.minute_ids
        WHERE (exchange, canonical_symbol, minute) IN active AND minute >= {{silver_floor}}
        GROUP BY exchange, canonical_symbol, minute
    )
    GROUP BY exchange, canonical_symbol, minute
    HAVING max(marked) > max(made)
    ORDER BY minute DESC
    LIMIT 200000
    UNION ALL
    SELECT exchange, canonical_symbol, minute
    FROM {{database}}.minute_ids
    WHERE (exchange, canonical_symbol, toStartOfHour(minute)) IN of_another_rule
    UNION ALL
    SELECT exchange, canonical_symbol, hour
    FROM
    (
        SELECT exchange, canonical_symbol, toStartOfHour(minute) AS hour, sum(newest) AS wanted, toUInt64(0) AS made
        FROM
        (
            SELECT exchange, canonical_symbol, minute, max(version) AS newest
            FROM {{database}}.minute_ids
            WHERE (exchange, canonical_symbol, toStartOfHour(minute)) IN (SELECT exchange, canonical_symbol, toStartOfHour(minute) FROM active)
            GROUP BY exchange, canonical_symbol, minute
        )
        GROUP BY exchange, canonical_symbol, hour
        UNION ALL
        SELECT exchange, canonical_symbol, hour, 0, max(version)
        FROM {{database}}.hour_ids
        WHERE (exchange, canonical_symbol, hour) IN (SELECT exchange, canonical_symbol, toStartOfHour(minute) FROM active)
        GROUP BY exchange, canonical_symbol, hour
    )
    GROUP BY exchange, canonical_symbol, hour
    HAVING max(wanted) > max(made)
    LIMIT 200000
)
SETTINGS max_threads = 1, log_queries = 0
