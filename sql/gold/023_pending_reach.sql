-- The blocks that a pending minute's marks came in, and the highest order that they stand for.
ALTER TABLE {{database}}.pending_minutes
    ADD COLUMN IF NOT EXISTS blocks UInt64,
    ADD COLUMN IF NOT EXISTS highest UInt64
