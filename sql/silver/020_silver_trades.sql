-- The trades of all exchanges. `SELECT … FROM silver_trades FINAL` is the set of distinct trades.
--
-- The key holds the minute of the timestamp, not the timestamp: two copies of a trade whose timestamps differ by a
-- microsecond meet under one key. Of copies that meet, `version` lets live win over snapshot over backfill, then the
-- lowest timestamp, in whatever order they arrive. Copies on either side of a minute's edge are parted by `bury_twins`,
-- which adds a row with is_deleted = 1 and a version above every copy of the same source or a lesser one.
--
-- A partition is a quarter, so that one insert of years-old trades stays under the server's limit of 100 partitions.
CREATE TABLE IF NOT EXISTS {{database}}.silver_trades
(
    exchange         LowCardinality(String),
    symbol           LowCardinality(String),
    canonical_symbol LowCardinality(String),
    market_kind      LowCardinality(String),
    trade_id         String CODEC(ZSTD(1)),
    order            UInt64 CODEC(DoubleDelta, LZ4),
    count            UInt32 CODEC(T64, LZ4),
    price            Decimal(38, 12) CODEC(ZSTD(1)),
    quantity         Decimal(38, 12) CODEC(ZSTD(1)),
    quote_quantity   Decimal(76, 24) ALIAS toDecimal256(price, 12) * toDecimal256(quantity, 12),
    side             Enum8('UNKNOWN' = 0, 'BUY' = 1, 'SELL' = 2) CODEC(LZ4),
    timestamp        DateTime64(6, 'UTC') CODEC(Delta(8), ZSTD(1)),
    minute           DateTime('UTC') CODEC(Delta(4), LZ4),
    source           Enum8('backfill' = 1, 'snapshot' = 2, 'live' = 3) CODEC(LZ4),
    received_at      DateTime64(6, 'UTC') CODEC(Delta(8), ZSTD(1)),
    vendor           String CODEC(LZ4),
    version          UInt32 CODEC(Delta(4), LZ4),
    is_deleted       UInt8 CODEC(LZ4)
)
ENGINE = ReplacingMergeTree(version, is_deleted)
PARTITION BY toStartOfQuarter(minute)
ORDER BY (exchange, canonical_symbol, minute, order, trade_id)
SETTINGS merge_with_ttl_timeout = 86400, materialize_ttl_recalculate_only = 1, fsync_after_insert = 1, fsync_part_directory = 1, merge_selector_base = 16, auto_statistics_types = ''
