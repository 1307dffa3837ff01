-- The minutes of the last three hours in which anything was touched, however long ago those were: what was under way when
-- a server stopped is looked at when it is back.
CREATE VIEW IF NOT EXISTS {{database}}.touched_in_active_hours AS
SELECT DISTINCT exchange, canonical_symbol, minute
FROM {{database}}.touched_minutes
WHERE toStartOfHour(touched_at) IN
(
    SELECT toStartOfHour(touched_at) AS hour
    FROM {{database}}.touched_minutes
    WHERE hour <= now() + INTERVAL 1 HOUR
    GROUP BY hour
    ORDER BY hour DESC
    LIMIT 3
)
