-- The exchange's topic. One record is one raw text, so that no record can block its partition and none loses a byte.
CREATE TABLE IF NOT EXISTS {{database}}.kafka_trades_{{exchange}}
(
    raw String
)
ENGINE = Kafka
SETTINGS
    kafka_broker_list = '{{brokers}}',
    kafka_topic_list = '{{topic}}',
    kafka_group_name = 'tapedeck.{{database}}.{{exchange}}',
    kafka_client_id = 'tapedeck-{{database}}-{{exchange}}',
    kafka_format = 'RawBLOB',
    kafka_num_consumers = {{consumers}},
    kafka_thread_per_consumer = {{thread_per_consumer}},
    kafka_max_block_size = 65536,
    kafka_poll_max_batch_size = 65536,
    kafka_poll_timeout_ms = 100,
    kafka_flush_interval_ms = 500,
    kafka_handle_error_mode = 'stream'
