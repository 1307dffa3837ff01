-- Hours as their minutes give them now. The runs of an hour's minutes, sorted, are one run as long as each begins at most
-- one above all that came before it, so that trades out of order at a minute's edge part nothing.
CREATE VIEW IF NOT EXISTS {{database}}.hours_of_minutes AS
SELECT
    exchange, canonical_symbol, hour,
    max(part.ids) AS ids,
    minIf(part.lowest, part.amount > 0) AS first_id,
    max(part.highest) AS last_id,
    sum(part.amount) AS trades,
    sum(part.from_live) AS live,
    sum(part.from_snapshot) AS snapshot,
    sum(part.from_backfill) AS backfill,
    sum(part.absorbed) AS duplicates,
    arrayZip(
        arrayMap(piece -> piece.1, arraySort(groupArrayIf((part.run_first, part.reached), part.begins)) AS pieces),
        if(empty(pieces), [], arrayPushBack(arrayMap(piece -> piece.2, arrayPopFront(pieces)), max(part.run_last)))
    ) AS runs,
    sum(part.marked) AS version,
    groupBitXor(part.hash) AS digest
FROM
(
    SELECT
        exchange, canonical_symbol, toStartOfHour(minute) AS hour, toString(minute_ids.ids) AS ids,
        minute_ids.first_id AS lowest, minute_ids.last_id AS highest, trades AS amount, live AS from_live, snapshot AS from_snapshot,
        backfill AS from_backfill, duplicates AS absorbed, version AS marked,
        cityHash64(minute, ids, amount, runs) AS hash,
        0 AS begins, toUInt64(0) AS run_first, toUInt64(0) AS run_last, toUInt64(0) AS reached
    FROM {{database}}.minute_ids FINAL
    UNION ALL
    SELECT
        exchange, canonical_symbol, hour, '', 0, 0, 0, 0, 0, 0, 0, 0, 0,
        before = 0 OR (first > highest AND first > highest + 1), first, last, highest
    FROM
    (
        SELECT
            exchange, canonical_symbol, hour, first, last,
            count() OVER earlier AS before,
            max(last) OVER earlier AS highest
        FROM
        (
            SELECT exchange, canonical_symbol, toStartOfHour(minute) AS hour, run.1 AS first, run.2 AS last
            FROM {{database}}.minute_ids FINAL ARRAY JOIN runs AS run
        )
        WINDOW earlier AS (PARTITION BY exchange, canonical_symbol, hour ORDER BY first, last ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)
    )
) AS part
GROUP BY exchange, canonical_symbol, hour
