-- How long the quarantine keeps a record after it came in.
ALTER TABLE {{database}}.quarantine MODIFY TTL toDateTime(ingested_at) + INTERVAL {{quarantine_days}} DAY
