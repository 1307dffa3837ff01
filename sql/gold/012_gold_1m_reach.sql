-- What a minute can be gone on from: when it opened and closed, the highest order that its marks stand for (`reach`), and which
-- blocks they came in. Of minutes made before these columns nothing of the kind is known: their orders may lie anywhere.
ALTER TABLE {{database}}.gold_1m
    ADD COLUMN IF NOT EXISTS opened DateTime64(6, 'UTC') CODEC(Delta(8), ZSTD(1)),
    ADD COLUMN IF NOT EXISTS closed DateTime64(6, 'UTC') CODEC(Delta(8), ZSTD(1)),
    ADD COLUMN IF NOT EXISTS reach UInt64 DEFAULT 18446744073709551615 CODEC(Delta(8), ZSTD(1)),
    ADD COLUMN IF NOT EXISTS blocks UInt64 CODEC(ZSTD(1))
