-- What the host says of gaps: which it tries to fill, which are filled, and which it gave up. The newest word on a gap wins.
-- A gap has the ids that are missing (by_ids = 1), or only the time between two trades; `place` is the first id or the
-- first microsecond, by which it is known.
CREATE TABLE IF NOT EXISTS {{database}}.gaps
(
    exchange         LowCardinality(String),
    canonical_symbol LowCardinality(String),
    by_ids           UInt8,
    place            UInt64,
    state            Enum8('open' = 1, 'filled' = 2, 'missing' = 3),
    first_id         UInt64,
    last_id          UInt64,
    started_at       DateTime64(6, 'UTC'),
    ended_at         DateTime64(6, 'UTC'),
    reason           String,
    found_at         DateTime64(6, 'UTC'),
    at               DateTime64(6, 'UTC')
)
ENGINE = ReplacingMergeTree(at)
PARTITION BY toYear(ended_at)
ORDER BY (exchange, canonical_symbol, by_ids, place)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1
