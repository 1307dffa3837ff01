-- What was not goes to the quarantine, as it came.
CREATE MATERIALIZED VIEW IF NOT EXISTS {{database}}.refuse_trades_{{exchange}} TO {{database}}.quarantine AS
SELECT
    '{{exchange}}' AS exchange, reason, symbol, canonical_symbol, trade_id, raw, plugin, plugin_version,
    claimed_source AS source, kafka_topic, kafka_partition, kafka_offset, ingested_at
FROM {{database}}.judged_trades_{{exchange}}
WHERE reason != ''
