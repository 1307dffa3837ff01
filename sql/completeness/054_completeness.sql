-- What is there and what is missing, a row a market and hour in which it traded. Where ids are dense or aggregated they prove
-- it; elsewhere only the gaps in time that the host reported count, and an hour within such a gap has a row without trades.
-- An hour is missing if anything of it is, healing if anything of it is. Of the missing ranges the first 1,000 of the hour are
-- listed; `missing_ids` counts all. Of a time that is missing, at most a year has rows.
CREATE VIEW IF NOT EXISTS {{database}}.completeness AS
SELECT
    exchange, canonical_symbol, hour,
    max(part.rule) AS ids,
    max(part.lowest) AS first_id,
    max(part.highest) AS last_id,
    sum(part.amount) AS trades,
    sum(part.from_live) AS live,
    sum(part.from_snapshot) AS snapshot,
    sum(part.from_backfill) AS backfill,
    sum(part.absorbed) AS duplicates,
    arraySort(groupArrayIf(1000)((part.range_first, part.range_last), part.lost > 0)) AS missing,
    sum(part.lost) AS missing_ids,
    multiIf(countIf(part.word = 'missing') > 0, 'missing', countIf(part.word = 'healing') > 0, 'healing', 'complete') AS state
FROM
(
    SELECT
        exchange, canonical_symbol, hour, toString(ids) AS rule, first_id AS lowest, last_id AS highest, trades AS amount,
        live AS from_live, snapshot AS from_snapshot, backfill AS from_backfill, duplicates AS absorbed,
        toUInt64(0) AS range_first, toUInt64(0) AS range_last, toUInt64(0) AS lost, '' AS word
    FROM {{database}}.hour_ids FINAL
    WHERE trades > 0
    UNION ALL
    SELECT exchange, canonical_symbol, hour, '', 0, 0, 0, 0, 0, 0, 0, first_id, last_id, missing_ids, state
    FROM {{database}}.missing_ranges
    UNION ALL
    SELECT
        exchange, canonical_symbol,
        toDateTime(arrayJoin(range(
            toUInt32(toStartOfHour(toDateTime(started_at, 'UTC'))),
            toUInt32(least(toDateTime(ended_at, 'UTC'), toDateTime(started_at, 'UTC') + INTERVAL 1 YEAR)) + 1,
            3600
        )), 'UTC') AS hour,
        '', 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, state
    FROM {{database}}.missing_times
) AS part
GROUP BY exchange, canonical_symbol, hour
