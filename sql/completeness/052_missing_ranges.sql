-- Ids that are missing, range by range, with what the host says of each. A range belongs to the hour of the trade behind it,
-- however long before the one in front of it was. Of several gaps that overlap a range the newest word counts; the reason is
-- the newest that was given, since a gap of which a part is given up and the rest came is filled in the end. Without a word of
-- the host a range may still come for a while: ten minutes after the end of the hour it is missing.
CREATE VIEW IF NOT EXISTS {{database}}.missing_ranges AS
SELECT
    exchange, canonical_symbol, hour, range_first AS first_id, range_last AS last_id, toUInt64(range_last - range_first) + 1 AS missing_ids,
    multiIf(
        newest = 'open', 'healing',
        newest = '' AND hour + INTERVAL 70 MINUTE > now('UTC'), 'healing',
        'missing'
    ) AS state,
    multiIf(
        newest = 'open', '',
        newest = '', 'the host has not said why',
        given != '', given,
        newest = 'filled', 'the host says that it is filled',
        ''
    ) AS reason
FROM
(
    WITH gap.by_ids = 1 AND gap.first_id <= range_last AND gap.last_id >= range_first AS overlaps
    SELECT
        exchange, canonical_symbol, hour, range_first, range_last,
        argMaxIf(toString(gap.state), gap.at, overlaps) AS newest,
        argMaxIf(gap.reason, gap.at, overlaps AND gap.state = 'missing') AS given
    FROM
    (
        SELECT exchange, canonical_symbol, hour, reached + 1 AS range_first, toUInt64(first - 1) AS range_last
        FROM
        (
            SELECT
                exchange, canonical_symbol, hour, first,
                count() OVER earlier AS before,
                max(last) OVER earlier AS reached
            FROM
            (
                SELECT exchange, canonical_symbol, hour, run.1 AS first, run.2 AS last
                FROM {{database}}.hour_ids FINAL ARRAY JOIN runs AS run
            )
            WINDOW earlier AS (PARTITION BY exchange, canonical_symbol ORDER BY first, last ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)
        )
        WHERE before > 0 AND first > reached AND first > reached + 1
    ) AS range
    LEFT JOIN
    (
        SELECT exchange, canonical_symbol, by_ids, state, first_id, last_id, reason, at
        FROM {{database}}.gaps FINAL
        WHERE by_ids = 1
    ) AS gap USING (exchange, canonical_symbol)
    GROUP BY exchange, canonical_symbol, hour, range_first, range_last
)
