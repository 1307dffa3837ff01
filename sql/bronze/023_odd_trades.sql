-- Where a record stands that is not plainly a trade. Keeps nothing; `judge_trades_{{exchange}}` hangs off it.
CREATE TABLE IF NOT EXISTS {{database}}.odd_trades_{{exchange}}
(
    raw             String,
    kafka_topic     LowCardinality(String),
    kafka_partition UInt32,
    kafka_offset    UInt64
)
ENGINE = Null
