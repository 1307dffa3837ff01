-- Where a record stands as it came from Kafka. Keeps nothing; `judge_trades_{{exchange}}` hangs off it.
CREATE TABLE IF NOT EXISTS {{database}}.raw_trades_{{exchange}}
(
    raw             String,
    kafka_topic     LowCardinality(String),
    kafka_partition UInt32,
    kafka_offset    UInt64
)
ENGINE = Null
