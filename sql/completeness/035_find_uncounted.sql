-- Which of the minutes touched lately have marks that were not counted, or were counted by another rule of ids. A minute is
-- counted when nothing has come for five seconds, and while it fills every thirty: counting reads all of it. The newest
-- first, at most 100,000 and about five million rows of silver at a time; of more than 300,000 touched at once the older
-- ones wait for `touch_uncounted`.
CREATE MATERIALIZED VIEW IF NOT EXISTS {{database}}.find_uncounted
REFRESH EVERY 5 SECOND TO {{database}}.uncounted_minutes AS
WITH
    (
        SELECT mapFromArrays(groupArray(toString(exchange)), groupArray(toString(ids)))
        FROM {{database}}.trade_ids FINAL
    ) AS rules,
    touched AS
    (
        SELECT exchange, canonical_symbol, minute
        FROM {{database}}.touched_minutes
        WHERE touched_at > now64(3, 'UTC') - INTERVAL 1 MINUTE AND minute >= {{silver_floor}}
        GROUP BY exchange, canonical_symbol, minute
        HAVING max(touched_at) < now64(3, 'UTC') - INTERVAL 5 SECOND OR toUnixTimestamp(now()) % 30 < 5
        ORDER BY minute DESC
        LIMIT 300000
    )
SELECT exchange, canonical_symbol, minute, rule AS ids, wanted AS marks, arrived AS copies
FROM
(
    SELECT
        exchange, canonical_symbol, minute, rule, wanted, arrived,
        sum(wanted) OVER (ORDER BY minute DESC, exchange, canonical_symbol ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS rows_so_far
    FROM
    (
        SELECT
            exchange, canonical_symbol, minute,
            rules[exchange] AS rule,
            max(marked) AS wanted,
            max(copies_marked) AS arrived,
            max(made) AS counted,
            max(made_by) AS counted_by
        FROM
        (
            SELECT exchange, canonical_symbol, minute, marked, toUInt64(copies - least(copies, burials)) AS copies_marked, toUInt64(0) AS made, '' AS made_by
            FROM
            (
                SELECT
                    exchange, canonical_symbol, minute,
                    sum(marks) AS marked,
                    sumIf(marks, toUnixTimestamp(edge) != 0 OR trade_id != 'mended') AS copies,
                    uniqExactIf((edge, trade_id, order), buried_source > 0) AS burials
                FROM {{database}}.minute_marks
                WHERE (exchange, canonical_symbol, minute) IN touched
                GROUP BY exchange, canonical_symbol, minute
            )
            UNION ALL
            SELECT exchange, canonical_symbol, minute, 0, 0, version, toString(ids)
            FROM {{database}}.minute_ids FINAL
            WHERE (exchange, canonical_symbol, minute) IN touched
        )
        GROUP BY exchange, canonical_symbol, minute
        HAVING wanted > counted OR counted_by != rule
        ORDER BY minute DESC
        LIMIT 100000
    )
)
WHERE rows_so_far - wanted < 5000000
SETTINGS max_threads = 1, log_queries = 0
