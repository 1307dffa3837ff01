-- How long a gap is kept: as long as silver keeps the trades around it.
ALTER TABLE {{database}}.gaps MODIFY TTL toDateTime64(ended_at, 0, 'UTC') + INTERVAL {{silver_ttl_days}} DAY
