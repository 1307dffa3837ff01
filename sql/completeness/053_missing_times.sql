-- Times of which trades are missing, where ids show nothing, stretch by stretch, with what the host says of each: the gaps in
-- time that it gave up or still asks for, each without what gaps filled later cover of it. The newest word on a gap counts.
-- First and last instant belong to a gap: other trades may have the times of those beside it.
--
-- Gaps that overlap, directly or by way of others, are a cluster, and only clusters in which something is lost are looked
-- into. Of intervals in order of their beginnings, number i + 1 lies behind all before it if it begins behind end number i,
-- ends being in an order of their own: so clusters are parted, and so the times are found that no cover holds.
CREATE VIEW IF NOT EXISTS {{database}}.missing_times AS
WITH
    (
        SELECT groupArray(toString(exchange)) FROM {{database}}.trade_ids FINAL WHERE ids IN ('dense', 'aggregated')
    ) AS proven_by_ids
SELECT
    exchange, canonical_symbol,
    fromUnixTimestamp64Micro(rest.1, 'UTC') AS started_at,
    fromUnixTimestamp64Micro(rest.2, 'UTC') AS ended_at,
    if(lost.state = 'open', 'healing', 'missing') AS state,
    lost.reason AS reason
FROM
(
    SELECT
        exchange, canonical_symbol, lost,
        arrayFilter(cover -> cover.3 > lost.at AND cover.1 <= lost.last AND cover.2 >= lost.first, filled) AS covers,
        arrayPushFront(arraySort(arrayMap(cover -> cover.2 + 1, covers)), lost.first) AS behind,
        arrayPushBack(arrayMap(cover -> cover.1 - 1, covers), lost.last) AS before
    FROM
    (
        SELECT
            exchange, canonical_symbol,
            arrayFilter(gap -> gap.state != 'filled', cluster) AS all_lost,
            arrayMap(gap -> (gap.first, gap.last, gap.at), arrayFilter(gap -> gap.state = 'filled', cluster)) AS filled
        FROM
        (
            SELECT exchange, canonical_symbol, arrayJoin(arraySplit((gap, is_apart) -> is_apart, gaps, are_apart)) AS cluster
            FROM
            (
                SELECT
                    exchange, canonical_symbol,
                    arraySort(groupArray(gap)) AS gaps,
                    arraySort(gaps.last) AS ends,
                    arrayMap((first, end) -> first > end, gaps.first, arrayPushFront(arrayPopBack(ends), -1)) AS are_apart
                FROM
                (
                    SELECT
                        exchange, canonical_symbol,
                        argMax(
                            CAST(
                                (toUnixTimestamp64Micro(started_at), toUnixTimestamp64Micro(ended_at), gaps.at, toString(state), reason),
                                'Tuple(first Int64, last Int64, at DateTime64(6, \'UTC\'), state String, reason String)'
                            ),
                            gaps.at
                        ) AS gap
                    FROM {{database}}.gaps
                    WHERE by_ids = 0 AND NOT has(proven_by_ids, exchange)
                    GROUP BY exchange, canonical_symbol, place
                )
                GROUP BY exchange, canonical_symbol
            )
        )
    )
    ARRAY JOIN all_lost AS lost
)
ARRAY JOIN arrayFilter(rest -> rest.1 <= rest.2, arrayZip(behind, before)) AS rest
