-- Candles of one day, UTC, over the hours.
CREATE VIEW IF NOT EXISTS {{database}}.ohlcv_1d AS
SELECT
    exchange,
    canonical_symbol,
    toStartOfInterval(hour, INTERVAL 1 DAY, 'UTC') AS bucket,
    argMin(gold_1h.open, hour) AS open,
    max(gold_1h.high) AS high,
    min(gold_1h.low) AS low,
    argMax(gold_1h.close, hour) AS close,
    sum(gold_1h.volume) AS volume,
    sum(gold_1h.quote_volume) AS quote_volume,
    sum(gold_1h.trades) AS trades
FROM {{database}}.gold_1h FINAL
WHERE gold_1h.trades > 0
GROUP BY exchange, canonical_symbol, bucket
