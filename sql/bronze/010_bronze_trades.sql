-- The exchange's trades as they came, redelivered ones too, with where each is in Kafka and which plugin made it.
CREATE TABLE IF NOT EXISTS {{database}}.bronze_trades_{{exchange}}
(
    exchange         LowCardinality(String),
    symbol           LowCardinality(String),
    canonical_symbol LowCardinality(String),
    market_kind      LowCardinality(String),
    trade_id         String CODEC(ZSTD(1)),
    order            UInt64 CODEC(Delta(8), LZ4),
    count            UInt32 CODEC(T64, LZ4),
    price            Decimal(38, 12) CODEC(ZSTD(1)),
    quantity         Decimal(38, 12) CODEC(ZSTD(1)),
    side             Enum8('UNKNOWN' = 0, 'BUY' = 1, 'SELL' = 2) CODEC(LZ4),
    timestamp        DateTime64(6, 'UTC') CODEC(Delta(8), ZSTD(1)),
    source           Enum8('backfill' = 1, 'snapshot' = 2, 'live' = 3) CODEC(LZ4),
    received_at      DateTime64(6, 'UTC') CODEC(Delta(8), ZSTD(1)),
    vendor           String CODEC(LZ4),
    plugin           LowCardinality(String),
    plugin_version   LowCardinality(String),
    kafka_topic      LowCardinality(String),
    kafka_partition  UInt32 CODEC(LZ4),
    kafka_offset     UInt64 CODEC(Delta(8), ZSTD(1)),
    ingested_at      DateTime64(6, 'UTC') CODEC(Delta(8), LZ4)
)
ENGINE = MergeTree
PARTITION BY toDate(ingested_at)
ORDER BY (canonical_symbol, timestamp, order)
SETTINGS ttl_only_drop_parts = 1, fsync_after_insert = 1, fsync_part_directory = 1, merge_selector_base = 16, auto_statistics_types = ''
