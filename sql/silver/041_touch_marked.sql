-- Touches every minute that is marked.
CREATE MATERIALIZED VIEW IF NOT EXISTS {{database}}.touch_marked TO {{database}}.touched_minutes AS
SELECT exchange, canonical_symbol, minute, now64(3, 'UTC') AS touched_at
FROM {{database}}.minute_marks
GROUP BY exchange, canonical_symbol, minute
