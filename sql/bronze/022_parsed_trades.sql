-- Where a record stands once it is parsed, and whether it is plainly a trade. Keeps nothing; what hangs off it does.
CREATE TABLE IF NOT EXISTS {{database}}.parsed_trades_{{exchange}}
(
    exchange         LowCardinality(String),
    symbol           LowCardinality(String),
    canonical_symbol LowCardinality(String),
    market_kind      LowCardinality(String),
    trade_id         String,
    order            UInt64,
    count            UInt32,
    price            Decimal(38, 12),
    quantity         Decimal(38, 12),
    side             Enum8('UNKNOWN' = 0, 'BUY' = 1, 'SELL' = 2),
    timestamp        DateTime64(6, 'UTC'),
    source           Enum8('backfill' = 1, 'snapshot' = 2, 'live' = 3),
    received_at      DateTime64(6, 'UTC'),
    vendor           String,
    plugin           LowCardinality(String),
    plugin_version   LowCardinality(String),
    kafka_topic      LowCardinality(String),
    kafka_partition  UInt32,
    kafka_offset     UInt64,
    ingested_at      DateTime64(6, 'UTC'),
    raw              String,
    is_plain         UInt8
)
ENGINE = Null
