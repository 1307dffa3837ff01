-- Hours, kept like minutes: the version is the sum of the versions of the hour's minutes, and content and version come
-- from one read.
CREATE TABLE IF NOT EXISTS {{database}}.gold_1h
(
    exchange         LowCardinality(String),
    canonical_symbol LowCardinality(String),
    hour             DateTime('UTC') CODEC(DoubleDelta, ZSTD(1)),
    open             Decimal(38, 12) CODEC(ZSTD(1)),
    high             Decimal(38, 12) CODEC(ZSTD(1)),
    low              Decimal(38, 12) CODEC(ZSTD(1)),
    close            Decimal(38, 12) CODEC(ZSTD(1)),
    volume           Decimal(76, 12) CODEC(ZSTD(1)),
    quote_volume     Decimal(76, 24) CODEC(ZSTD(1)),
    trades           UInt64 CODEC(T64, ZSTD(1)),
    version          UInt64 CODEC(T64, ZSTD(1))
)
ENGINE = ReplacingMergeTree(version)
PARTITION BY toYear(hour)
ORDER BY (exchange, canonical_symbol, hour)
