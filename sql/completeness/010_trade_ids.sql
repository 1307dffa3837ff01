-- How an exchange's trade ids behave, as its plugin says: dense, aggregated, increasing or opaque. Written by the template
-- `record_trade_ids`; an exchange that is not here is judged by time alone.
CREATE TABLE IF NOT EXISTS {{database}}.trade_ids
(
    exchange    LowCardinality(String),
    ids         LowCardinality(String),
    recorded_at DateTime64(6, 'UTC')
)
ENGINE = ReplacingMergeTree(recorded_at)
ORDER BY exchange
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1
