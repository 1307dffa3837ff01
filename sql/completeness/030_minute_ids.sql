-- Which ids each minute has, as it was counted from silver's distinct trades. A run is ids without a hole between them, first
-- and last included: a minute that lost nothing has one. Only dense and aggregated ids have runs. `version` is the sum of
-- the minute's marks as it was before silver was read, as in gold_1m.
CREATE TABLE IF NOT EXISTS {{database}}.minute_ids
(
    exchange         LowCardinality(String),
    canonical_symbol LowCardinality(String),
    minute           DateTime('UTC') CODEC(DoubleDelta, ZSTD(1)),
    ids              LowCardinality(String),
    first_id         UInt64 CODEC(DoubleDelta, ZSTD(1)),
    last_id          UInt64 CODEC(DoubleDelta, ZSTD(1)),
    trades           UInt64 CODEC(T64, ZSTD(1)),
    live             UInt64 CODEC(T64, ZSTD(1)),
    snapshot         UInt64 CODEC(T64, ZSTD(1)),
    backfill         UInt64 CODEC(T64, ZSTD(1)),
    duplicates       UInt64 CODEC(T64, ZSTD(1)),
    runs             Array(Tuple(first UInt64, last UInt64)) CODEC(ZSTD(1)),
    version          UInt64 CODEC(T64, ZSTD(1))
)
ENGINE = ReplacingMergeTree(version)
PARTITION BY toYear(minute)
ORDER BY (exchange, canonical_symbol, minute)
