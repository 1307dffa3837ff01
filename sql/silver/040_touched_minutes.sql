-- Minutes that something happened to, and when: where the refreshes look, so that they need not look everywhere. Nothing
-- depends on its being complete: what falls out of it is found by `touch_unfinished` and `sweep`.
CREATE TABLE IF NOT EXISTS {{database}}.touched_minutes
(
    exchange         LowCardinality(String),
    canonical_symbol LowCardinality(String),
    minute           DateTime('UTC') CODEC(Delta(4), ZSTD(1)),
    touched_at       DateTime64(3, 'UTC') CODEC(Delta(8), ZSTD(1))
)
ENGINE = ReplacingMergeTree(touched_at)
PARTITION BY toStartOfHour(touched_at)
ORDER BY (exchange, canonical_symbol, minute)
TTL toDateTime(touched_at) + INTERVAL 7 DAY
SETTINGS ttl_only_drop_parts = 1
