-- Recomputes the pending minutes from silver's distinct trades. The marks were read by `find_pending`, before silver is
-- read here, so that a version never claims a trade that was not seen. First and last are by (timestamp, order). What lies
-- above the orders of the marks is left to `extend_minutes`.
CREATE MATERIALIZED VIEW IF NOT EXISTS {{database}}.recompute_minutes
REFRESH EVERY 2 SECOND DEPENDS ON {{database}}.find_pending APPEND TO {{database}}.gold_1m AS
SELECT
    pending.exchange AS exchange,
    pending.canonical_symbol AS canonical_symbol,
    pending.minute AS minute,
    made.open AS open,
    made.high AS high,
    made.low AS low,
    made.close AS close,
    made.volume AS volume,
    made.quote_volume AS quote_volume,
    made.trades AS trades,
    pending.marks AS version,
    made.opened AS opened,
    made.closed AS closed,
    pending.highest AS reach,
    pending.blocks AS blocks
FROM {{database}}.pending_minutes AS pending
LEFT JOIN
(
    SELECT
        exchange, canonical_symbol, minute,
        argMin(price, (timestamp, order, trade_id)) AS open,
        max(price) AS high,
        min(price) AS low,
        argMax(price, (timestamp, order, trade_id)) AS close,
        sum(toDecimal256(quantity, 12)) AS volume,
        sum(quote_quantity) AS quote_volume,
        count() AS trades,
        min(timestamp) AS opened,
        max(timestamp) AS closed
    FROM {{database}}.silver_trades FINAL
    INNER JOIN (SELECT exchange, canonical_symbol, minute, highest FROM {{database}}.pending_minutes) AS wanted USING (exchange, canonical_symbol, minute)
    WHERE (exchange, canonical_symbol, minute) IN (SELECT exchange, canonical_symbol, minute FROM {{database}}.pending_minutes)
      AND order <= highest
    GROUP BY exchange, canonical_symbol, minute
) AS made USING (exchange, canonical_symbol, minute)
SETTINGS do_not_merge_across_partitions_select_final = 1, log_queries = 0
