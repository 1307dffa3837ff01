-- Puts the hours of the minutes touched lately together again where a minute has changed since.
CREATE MATERIALIZED VIEW IF NOT EXISTS {{database}}.count_hours
REFRESH EVERY 5 SECOND APPEND TO {{database}}.hour_ids AS
WITH touched AS
(
    SELECT DISTINCT exchange, canonical_symbol, toStartOfHour(minute) AS hour
    FROM {{database}}.touched_minutes
    WHERE touched_at > now64(3, 'UTC') - INTERVAL 1 MINUTE
)
SELECT made.*
FROM
(
    SELECT exchange, canonical_symbol, hour, ids, first_id, last_id, trades, live, snapshot, backfill, duplicates, runs, version, digest
    FROM {{database}}.hours_of_minutes
    WHERE (exchange, canonical_symbol, hour) IN touched
) AS made
LEFT JOIN
(
    SELECT exchange, canonical_symbol, hour, version, digest
    FROM {{database}}.hour_ids FINAL
    WHERE (exchange, canonical_symbol, hour) IN touched
) AS known USING (exchange, canonical_symbol, hour)
WHERE made.version != known.version OR made.digest != known.digest
SETTINGS max_threads = 1, do_not_merge_across_partitions_select_final = 1, log_queries = 0
