-- Candles of one hour.
CREATE VIEW IF NOT EXISTS {{database}}.ohlcv_1h AS
SELECT exchange, canonical_symbol, hour AS bucket, open, high, low, close, volume, quote_volume, trades
FROM {{database}}.gold_1h FINAL
WHERE trades > 0
