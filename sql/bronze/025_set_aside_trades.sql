-- What is not is judged.
CREATE MATERIALIZED VIEW IF NOT EXISTS {{database}}.set_aside_trades_{{exchange}} TO {{database}}.odd_trades_{{exchange}} AS
SELECT raw, kafka_topic, kafka_partition, kafka_offset
FROM {{database}}.parsed_trades_{{exchange}}
WHERE NOT is_plain
