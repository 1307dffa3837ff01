-- Starts to read the topic. The last of the exchange's objects, so that no record comes before all behind it is there.
CREATE MATERIALIZED VIEW IF NOT EXISTS {{database}}.read_trades_{{exchange}} TO {{database}}.raw_trades_{{exchange}} AS
SELECT
    if(_error = '', raw, _raw_message) AS raw,
    _topic AS kafka_topic,
    _partition AS kafka_partition,
    _offset AS kafka_offset
FROM {{database}}.kafka_trades_{{exchange}}
