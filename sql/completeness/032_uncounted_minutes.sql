-- Minutes to count next, with their marks and how many copies of trades those stand for: burials are none, and neither is
-- what `tapedeck audit --mend` marks. Written anew by `find_uncounted`.
CREATE TABLE IF NOT EXISTS {{database}}.uncounted_minutes
(
    exchange         LowCardinality(String),
    canonical_symbol LowCardinality(String),
    minute           DateTime('UTC'),
    ids              LowCardinality(String),
    marks            UInt64,
    copies           UInt64
)
ENGINE = MergeTree
ORDER BY (exchange, canonical_symbol, minute)
