-- Counts the minutes that `find_uncounted` found. The ids of a minute, sorted, fall into runs where one is more than one
-- above the id before it; an aggregated trade reaches down over the fills that it stands for.
CREATE MATERIALIZED VIEW IF NOT EXISTS {{database}}.count_minutes
REFRESH EVERY 5 SECOND DEPENDS ON {{database}}.find_uncounted APPEND TO {{database}}.minute_ids AS
WITH
    wanted.ids IN ('dense', 'aggregated') AS by_ids,
    if(by_ids, members.1, []) AS highs,
    if(by_ids, arrayMap(member -> toUInt64(member.1 - least(member.1, toUInt64(if(wanted.ids = 'aggregated', member.2 - 1, 0)))), members), []) AS lows,
    arrayPopBack(highs) AS highs_before,
    arrayPopFront(lows) AS lows_after,
    arrayConcat(arraySlice(lows, 1, 1), arrayFilter((low, high) -> low > high AND low > high + 1, lows_after, highs_before)) AS firsts,
    arrayConcat(arrayFilter((high, low) -> low > high AND low > high + 1, highs_before, lows_after), arraySlice(highs, -1, 1)) AS lasts
SELECT
    wanted.exchange AS exchange,
    wanted.canonical_symbol AS canonical_symbol,
    wanted.minute AS minute,
    wanted.ids AS ids,
    if(empty(lows), made.lowest, lows[1]) AS first_id,
    made.highest AS last_id,
    made.trades AS trades,
    made.live AS live,
    made.snapshot AS snapshot,
    made.backfill AS backfill,
    toUInt64(wanted.copies - least(wanted.copies, made.trades)) AS duplicates,
    arrayZip(firsts, lasts) AS runs,
    wanted.marks AS version
FROM {{database}}.uncounted_minutes AS wanted
LEFT JOIN
(
    SELECT
        exchange, canonical_symbol, minute,
        min(order) AS lowest,
        max(order) AS highest,
        count() AS trades,
        countIf(source = 'live') AS live,
        countIf(source = 'snapshot') AS snapshot,
        countIf(source = 'backfill') AS backfill,
        arraySort(groupArray((order, count))) AS members
    FROM {{database}}.silver_trades FINAL
    WHERE (exchange, canonical_symbol, minute) IN (SELECT exchange, canonical_symbol, minute FROM {{database}}.uncounted_minutes)
    GROUP BY exchange, canonical_symbol, minute
) AS made USING (exchange, canonical_symbol, minute)
SETTINGS do_not_merge_across_partitions_select_final = 1, log_queries = 0
