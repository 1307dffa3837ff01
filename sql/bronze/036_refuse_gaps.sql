-- What is none goes to the quarantine, as it came.
CREATE MATERIALIZED VIEW IF NOT EXISTS {{database}}.refuse_gaps_{{exchange}} TO {{database}}.quarantine AS
SELECT
    '{{exchange}}' AS exchange, reason, '' AS symbol, canonical_symbol, '' AS trade_id, raw, '' AS plugin, '' AS plugin_version,
    'gap' AS source, kafka_topic, kafka_partition, kafka_offset, now64(6, 'UTC') AS ingested_at
FROM {{database}}.judged_gaps_{{exchange}}
WHERE reason != ''
