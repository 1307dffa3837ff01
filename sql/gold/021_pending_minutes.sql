-- Minutes to recompute next from silver, with their marks. Written anew by `find_pending`.
CREATE TABLE IF NOT EXISTS {{database}}.pending_minutes
(
    exchange         LowCardinality(String),
    canonical_symbol LowCardinality(String),
    minute           DateTime('UTC'),
    marks            UInt64,
    blocks           UInt64,
    highest          UInt64
)
ENGINE = Memory
