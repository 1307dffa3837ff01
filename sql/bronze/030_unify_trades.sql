-- Bronze to silver. It hangs off bronze so that a trade in silver is in bronze. The version puts live above snapshot above
-- backfill, then the lower timestamp above the higher; see silver_trades.
CREATE MATERIALIZED VIEW IF NOT EXISTS {{database}}.unify_trades_{{exchange}} TO {{database}}.silver_trades AS
SELECT
    exchange, symbol, canonical_symbol, market_kind, trade_id, order, count, price, quantity, side, timestamp,
    toStartOfMinute(toDateTime(timestamp, 'UTC')) AS minute,
    source, received_at, vendor,
    bitShiftLeft(toUInt32(CAST(source, 'UInt8')), 27) + 67108864 - toUInt32(toUnixTimestamp64Micro(timestamp) % 60000000) AS version,
    0 AS is_deleted
FROM {{database}}.bronze_trades_{{exchange}}
