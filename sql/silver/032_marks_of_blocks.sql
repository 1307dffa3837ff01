-- Which blocks the rows of a minute came in (the exclusive or of their numbers), and the highest order among them. Of marks made
-- before these columns nothing of the kind is known: their orders may lie anywhere.
ALTER TABLE {{database}}.minute_marks
    ADD COLUMN IF NOT EXISTS blocks SimpleAggregateFunction(groupBitXor, UInt64) CODEC(ZSTD(1)),
    ADD COLUMN IF NOT EXISTS highest SimpleAggregateFunction(max, UInt64) DEFAULT 18446744073709551615 CODEC(Delta(8), ZSTD(1))
