-- How long silver keeps a trade after its own time. Two days more than what is refused as too old, so that a minute is
-- never recomputed from a part of its trades; for the same reason it comes after the refreshes that know the limit.
ALTER TABLE {{database}}.silver_trades MODIFY TTL toDateTime64(minute, 0, 'UTC') + INTERVAL {{silver_ttl_days}} DAY
