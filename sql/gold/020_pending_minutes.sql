-- Minutes to recompute next, with their marks. Written anew by `find_pending` each second.
CREATE TABLE IF NOT EXISTS {{database}}.pending_minutes
(
    exchange         LowCardinality(String),
    canonical_symbol LowCardinality(String),
    minute           DateTime('UTC'),
    marks            UInt64
)
ENGINE = MergeTree
ORDER BY (exchange, canonical_symbol, minute)
