-- What each block that silver got lately brought to each minute: its candle, and the trades close to the minute's edge. From
-- it gold goes on without reading silver again. In memory only: what is missing here is read from silver.
CREATE TABLE IF NOT EXISTS {{database}}.recent_blocks
(
    exchange         LowCardinality(String),
    canonical_symbol LowCardinality(String),
    minute           DateTime('UTC'),
    block            UInt64,
    trades           UInt64,
    orders           UInt64,
    lowest           UInt64,
    highest          UInt64,
    open             Decimal(38, 12),
    opened           DateTime64(6, 'UTC'),
    high             Decimal(38, 12),
    low              Decimal(38, 12),
    close            Decimal(38, 12),
    closed           DateTime64(6, 'UTC'),
    volume           Decimal(76, 12),
    quote_volume     Decimal(76, 24),
    near_edges       Array(Tuple(edge DateTime('UTC'), trade_id String, order UInt64, source UInt8, is_deleted UInt8)),
    arrived_at       DateTime64(3, 'UTC')
)
ENGINE = Memory
SETTINGS max_bytes_to_keep = 33554432
