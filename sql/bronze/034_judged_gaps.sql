-- Where a gap's record stands once it is judged. Keeps nothing; what hangs off it does.
CREATE TABLE IF NOT EXISTS {{database}}.judged_gaps_{{exchange}}
(
    canonical_symbol String,
    state            String,
    first_id         Nullable(UInt64),
    last_id          Nullable(UInt64),
    start_us         Int64,
    end_us           Int64,
    cause            String,
    found_at_us      Int64,
    at_us            Int64,
    raw              String,
    reason           String,
    kafka_topic      LowCardinality(String),
    kafka_partition  UInt32,
    kafka_offset     UInt64
)
ENGINE = Null
