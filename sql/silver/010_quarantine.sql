-- What could not become a trade: the record as it came, why, and where in Kafka it is. A record that Kafka delivers
-- again replaces itself; the hash of the text keeps apart what a recreated topic numbers alike.
CREATE TABLE IF NOT EXISTS {{database}}.quarantine
(
    exchange         LowCardinality(String),
    reason           LowCardinality(String),
    symbol           String,
    canonical_symbol String,
    trade_id         String,
    raw              String CODEC(ZSTD(3)),
    plugin           LowCardinality(String),
    plugin_version   LowCardinality(String),
    source           LowCardinality(String),
    kafka_topic      LowCardinality(String),
    kafka_partition  UInt32,
    kafka_offset     UInt64 CODEC(Delta(8), ZSTD(1)),
    ingested_at      DateTime64(6, 'UTC') CODEC(Delta(8), ZSTD(1))
)
ENGINE = ReplacingMergeTree
PARTITION BY toDate(ingested_at)
ORDER BY (exchange, reason, kafka_topic, kafka_partition, kafka_offset, xxHash64(raw))
SETTINGS ttl_only_drop_parts = 1, fsync_after_insert = 1, fsync_part_directory = 1
