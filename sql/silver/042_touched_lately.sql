-- The minutes of the last minute, at most 100,000 of them, the newest touched first: what a refresh looks at.
CREATE VIEW IF NOT EXISTS {{database}}.touched_lately AS
SELECT exchange, canonical_symbol, minute
FROM {{database}}.touched_minutes
WHERE touched_at > now64(3, 'UTC') - INTERVAL 1 MINUTE
GROUP BY exchange, canonical_symbol, minute
ORDER BY max(touched_at) DESC
LIMIT 100000
