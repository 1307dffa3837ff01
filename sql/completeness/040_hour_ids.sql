-- Hours, put together from their minutes: what `completeness` is read from. `digest` tells hours of equal version apart when
-- minutes were counted again by another rule.
CREATE TABLE IF NOT EXISTS {{database}}.hour_ids
(
    exchange         LowCardinality(String),
    canonical_symbol LowCardinality(String),
    hour             DateTime('UTC') CODEC(DoubleDelta, ZSTD(1)),
    ids              LowCardinality(String),
    first_id         UInt64 CODEC(DoubleDelta, ZSTD(1)),
    last_id          UInt64 CODEC(DoubleDelta, ZSTD(1)),
    trades           UInt64 CODEC(T64, ZSTD(1)),
    live             UInt64 CODEC(T64, ZSTD(1)),
    snapshot         UInt64 CODEC(T64, ZSTD(1)),
    backfill         UInt64 CODEC(T64, ZSTD(1)),
    duplicates       UInt64 CODEC(T64, ZSTD(1)),
    runs             Array(Tuple(first UInt64, last UInt64)) CODEC(ZSTD(1)),
    version          UInt64 CODEC(T64, ZSTD(1)),
    digest           UInt64 CODEC(ZSTD(1))
)
ENGINE = ReplacingMergeTree(version)
PARTITION BY toYear(hour)
ORDER BY (exchange, canonical_symbol, hour)
