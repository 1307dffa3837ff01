-- Columns that nearly repeat are left to LZ4, which writes them faster than ZSTD and as small; fewer, larger merges write each
-- row less often. Statistics of columns are read by no query here.
ALTER TABLE {{database}}.bronze_trades_{{exchange}}
    MODIFY COLUMN order CODEC(Delta(8), LZ4),
    MODIFY COLUMN count CODEC(T64, LZ4),
    MODIFY COLUMN side CODEC(LZ4),
    MODIFY COLUMN source CODEC(LZ4),
    MODIFY COLUMN vendor CODEC(LZ4),
    MODIFY COLUMN kafka_partition CODEC(LZ4),
    MODIFY COLUMN ingested_at CODEC(Delta(8), LZ4),
    MODIFY SETTING merge_selector_base = 16, auto_statistics_types = ''
