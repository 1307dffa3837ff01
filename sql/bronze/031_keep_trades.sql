-- What was found good goes to bronze.
CREATE MATERIALIZED VIEW IF NOT EXISTS {{database}}.keep_trades_{{exchange}} TO {{database}}.bronze_trades_{{exchange}} AS
SELECT
    exchange, symbol, canonical_symbol, market_kind, trade_id, order, count, price, quantity, side, timestamp, source,
    received_at, vendor, plugin, plugin_version, kafka_topic, kafka_partition, kafka_offset, ingested_at
FROM {{database}}.judged_trades_{{exchange}}
WHERE reason = ''
