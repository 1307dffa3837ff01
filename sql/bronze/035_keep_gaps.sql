-- What is a gap is kept among those of all exchanges.
CREATE MATERIALIZED VIEW IF NOT EXISTS {{database}}.keep_gaps_{{exchange}} TO {{database}}.gaps AS
SELECT
    '{{exchange}}' AS exchange,
    canonical_symbol,
    judged.first_id IS NOT NULL AS by_ids,
    ifNull(judged.first_id, toUInt64(start_us)) AS place,
    CAST(judged.state, 'Enum8(\'open\' = 1, \'filled\' = 2, \'missing\' = 3)') AS state,
    ifNull(judged.first_id, 0) AS first_id,
    ifNull(judged.last_id, 0) AS last_id,
    fromUnixTimestamp64Micro(start_us, 'UTC') AS started_at,
    fromUnixTimestamp64Micro(end_us, 'UTC') AS ended_at,
    cause AS reason,
    fromUnixTimestamp64Micro(found_at_us, 'UTC') AS found_at,
    fromUnixTimestamp64Micro(at_us, 'UTC') AS at
FROM
(
    SELECT canonical_symbol, state, first_id, last_id, start_us, end_us, cause, found_at_us, at_us
    FROM {{database}}.judged_gaps_{{exchange}}
    WHERE judged_gaps_{{exchange}}.reason = ''
) AS judged
