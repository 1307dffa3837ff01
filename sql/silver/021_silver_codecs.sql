-- Columns that nearly repeat are left to LZ4, which writes them faster than ZSTD and as small; fewer, larger merges write each
-- row less often. Statistics of columns are read by no query here.
ALTER TABLE {{database}}.silver_trades
    MODIFY COLUMN order CODEC(DoubleDelta, LZ4),
    MODIFY COLUMN count CODEC(T64, LZ4),
    MODIFY COLUMN side CODEC(LZ4),
    MODIFY COLUMN minute CODEC(Delta(4), LZ4),
    MODIFY COLUMN source CODEC(LZ4),
    MODIFY COLUMN vendor CODEC(LZ4),
    MODIFY SETTING merge_selector_base = 16, auto_statistics_types = ''
