-- Minutes as they were made: the highest version of each is the candle. The version is the sum of the minute's marks that it
-- has seen, `blocks` theirs, `reach` the highest order that they stand for. A minute without trades (all copies buried) stays
-- as a row with trades = 0.
CREATE TABLE IF NOT EXISTS {{database}}.gold_1m
(
    exchange         LowCardinality(String),
    canonical_symbol LowCardinality(String),
    minute           DateTime('UTC') CODEC(DoubleDelta, ZSTD(1)),
    open             Decimal(38, 12) CODEC(ZSTD(1)),
    high             Decimal(38, 12) CODEC(ZSTD(1)),
    low              Decimal(38, 12) CODEC(ZSTD(1)),
    close            Decimal(38, 12) CODEC(ZSTD(1)),
    volume           Decimal(76, 12) CODEC(ZSTD(1)),
    quote_volume     Decimal(76, 24) CODEC(ZSTD(1)),
    trades           UInt64 CODEC(T64, ZSTD(1)),
    version          UInt64 CODEC(T64, ZSTD(1)),
    opened           DateTime64(6, 'UTC') CODEC(Delta(8), ZSTD(1)),
    closed           DateTime64(6, 'UTC') CODEC(Delta(8), ZSTD(1)),
    reach            UInt64 CODEC(Delta(8), ZSTD(1)),
    blocks           UInt64 CODEC(ZSTD(1)),
    made_at          DateTime64(3, 'UTC') CODEC(Delta(8), ZSTD(1))
)
ENGINE = ReplacingMergeTree(version)
PARTITION BY toYear(minute)
ORDER BY (exchange, canonical_symbol, minute)
