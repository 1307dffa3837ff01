-- Touches every minute that was counted, so that its hour follows.
CREATE MATERIALIZED VIEW IF NOT EXISTS {{database}}.touch_counted TO {{database}}.touched_minutes AS
SELECT exchange, canonical_symbol, minute, now64(3, 'UTC') AS touched_at
FROM {{database}}.minute_ids
