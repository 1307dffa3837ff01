-- What is plainly a trade goes to bronze.
CREATE MATERIALIZED VIEW IF NOT EXISTS {{database}}.take_trades_{{exchange}} TO {{database}}.bronze_trades_{{exchange}} AS
SELECT
    exchange, symbol, canonical_symbol, market_kind, trade_id, order, count, price, quantity, side, timestamp, source,
    received_at, vendor, plugin, plugin_version, kafka_topic, kafka_partition, kafka_offset, ingested_at
FROM {{database}}.parsed_trades_{{exchange}}
WHERE is_plain
