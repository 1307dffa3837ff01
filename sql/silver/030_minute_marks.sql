-- How many rows silver ever got for each minute: what gold's versions are measured against. It only grows. `blocks` says which
-- blocks those rows came in (the exclusive or of their numbers), `highest` is the highest order among them.
--
-- A row with an `edge` counts one trade that lies within a second of a minute's edge: the best source of its copies,
-- and the best source that was buried there. The mark and the burial are one row, so that a crash keeps or loses both.
CREATE TABLE IF NOT EXISTS {{database}}.minute_marks
(
    exchange         LowCardinality(String),
    canonical_symbol LowCardinality(String),
    minute           DateTime('UTC') CODEC(Delta(4), ZSTD(1)),
    edge             DateTime('UTC') CODEC(Delta(4), ZSTD(1)),
    trade_id         String CODEC(ZSTD(1)),
    order            UInt64 CODEC(Delta(8), ZSTD(1)),
    marks            SimpleAggregateFunction(sum, UInt64) CODEC(T64, ZSTD(1)),
    best_source      SimpleAggregateFunction(max, UInt8) CODEC(ZSTD(1)),
    buried_source    SimpleAggregateFunction(max, UInt8) CODEC(ZSTD(1)),
    blocks           SimpleAggregateFunction(groupBitXor, UInt64) CODEC(ZSTD(1)),
    highest          SimpleAggregateFunction(max, UInt64) CODEC(Delta(8), ZSTD(1))
)
ENGINE = AggregatingMergeTree
PARTITION BY toYear(minute)
ORDER BY (exchange, canonical_symbol, minute, edge, trade_id, order)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1
