-- Which of the minutes touched lately have marks that gold has not seen. The newest come first, as many as hold five
-- million trades together and at most 20,000: a backfill of years is worked off in portions, and live candles stay fresh.
CREATE MATERIALIZED VIEW IF NOT EXISTS {{database}}.find_pending
REFRESH EVERY 1 SECOND TO {{database}}.pending_minutes AS
SELECT exchange, canonical_symbol, minute, marks
FROM
(
    SELECT
        exchange, canonical_symbol, minute, marked.marks AS marks,
        sum(marks) OVER (ORDER BY minute DESC, exchange, canonical_symbol ROWS UNBOUNDED PRECEDING) AS trades_so_far
    FROM
    (
        SELECT exchange, canonical_symbol, minute, sum(marks) AS marks
        FROM {{database}}.minute_marks
        WHERE (exchange, canonical_symbol, minute) IN (SELECT exchange, canonical_symbol, minute FROM {{database}}.touched_lately)
          AND minute >= {{silver_floor}}
        GROUP BY exchange, canonical_symbol, minute
    ) AS marked
    LEFT JOIN
    (
        SELECT exchange, canonical_symbol, minute, max(version) AS version
        FROM {{database}}.gold_1m
        WHERE (exchange, canonical_symbol, minute) IN (SELECT exchange, canonical_symbol, minute FROM {{database}}.touched_lately)
        GROUP BY exchange, canonical_symbol, minute
    ) AS made USING (exchange, canonical_symbol, minute)
    WHERE marked.marks != made.version
)
WHERE trades_so_far - marks < 5000000
ORDER BY minute DESC
LIMIT 20000
SETTINGS log_queries = 0
