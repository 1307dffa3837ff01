-- Touches every minute that was recomputed long after it was, so that its hour follows. A fresh one was touched by its marks
-- a second before.
CREATE MATERIALIZED VIEW IF NOT EXISTS {{database}}.touch_recomputed TO {{database}}.touched_minutes AS
SELECT exchange, canonical_symbol, minute, now64(3, 'UTC') AS touched_at
FROM {{database}}.gold_1m
WHERE minute < now('UTC') - INTERVAL 10 MINUTE
