-- How long bronze keeps a trade after it came in.
ALTER TABLE {{database}}.bronze_trades_{{exchange}} MODIFY TTL toDateTime(ingested_at) + INTERVAL {{bronze_days}} DAY
