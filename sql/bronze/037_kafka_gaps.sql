-- The exchange's topic of gaps: few records, and seldom any.
CREATE TABLE IF NOT EXISTS {{database}}.kafka_gaps_{{exchange}}
(
    raw String
)
ENGINE = Kafka
SETTINGS
    kafka_broker_list = '{{brokers}}',
    kafka_topic_list = '{{topic}}.gaps',
    kafka_group_name = 'tapedeck.{{database}}.{{exchange}}.gaps',
    kafka_client_id = 'tapedeck-{{database}}-{{exchange}}-gaps',
    kafka_format = 'RawBLOB',
    kafka_num_consumers = 1,
    kafka_poll_timeout_ms = 500,
    kafka_flush_interval_ms = 1000,
    kafka_handle_error_mode = 'stream'
