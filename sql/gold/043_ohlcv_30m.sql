-- Candles of 30 minutes, over the minutes.
CREATE VIEW IF NOT EXISTS {{database}}.ohlcv_30m AS
SELECT
    exchange,
    canonical_symbol,
    toStartOfInterval(minute, INTERVAL 30 MINUTE) AS bucket,
    argMin(gold_1m.open, minute) AS open,
    max(gold_1m.high) AS high,
    min(gold_1m.low) AS low,
    argMax(gold_1m.close, minute) AS close,
    sum(gold_1m.volume) AS volume,
    sum(gold_1m.quote_volume) AS quote_volume,
    sum(gold_1m.trades) AS trades
FROM {{database}}.gold_1m FINAL
WHERE gold_1m.trades > 0
GROUP BY exchange, canonical_symbol, bucket
