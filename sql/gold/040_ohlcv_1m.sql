-- Candles of one minute.
CREATE VIEW IF NOT EXISTS {{database}}.ohlcv_1m AS
SELECT exchange, canonical_symbol, minute AS bucket, open, high, low, close, volume, quote_volume, trades
FROM {{database}}.gold_1m FINAL
WHERE trades > 0
