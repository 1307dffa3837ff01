-- Reads the topic of gaps, and judges each record once.
CREATE MATERIALIZED VIEW IF NOT EXISTS {{database}}.read_gaps_{{exchange}} TO {{database}}.judged_gaps_{{exchange}} AS
SELECT
    field.canonical_symbol AS canonical_symbol,
    field.state AS state,
    toUInt64OrNull(field.first_id) AS first_id,
    toUInt64OrNull(field.last_id) AS last_id,
    ifNull(start_number, 0) AS start_us,
    ifNull(end_number, 0) AS end_us,
    field.reason AS cause,
    ifNull(found_number, 0) AS found_at_us,
    ifNull(at_number, 0) AS at_us,
    text AS raw,
    multiIf(
        NOT startsWith(trimLeft(text), '{') OR (field.schema = '' AND NOT isValidJSON(text)), 'gap: not a JSON object',
        field.schema != '1', 'gap: schema is not supported',
        field.exchange != '{{exchange}}', 'gap: exchange is not {{exchange}}',
        field.canonical_symbol = '', 'gap: canonical_symbol is missing',
        field.state NOT IN ('open', 'filled', 'missing'), 'gap: state is none of open, filled, missing',
        (first_id IS NULL) != (last_id IS NULL) OR (first_id IS NULL AND NOT field.first_id IN ('', 'null')), 'gap: ids are no whole numbers',
        first_id > last_id, 'gap: the last id is below the first',
        start_number IS NULL OR end_number IS NULL OR least(start_us, end_us) < 0 OR greatest(start_us, end_us) > 4102444800000000 OR (first_id IS NULL AND start_us > end_us), 'gap: start_us and end_us are no times in order',
        at_number IS NULL OR at_us <= 0 OR at_us > 4102444800000000 OR found_at_us < 0 OR found_at_us > 4102444800000000, 'gap: at_us is not a time',
        ''
    ) AS reason,
    kafka_topic,
    kafka_partition,
    kafka_offset
FROM
(
    SELECT
        if(_error = '', raw, _raw_message) AS text,
        _topic AS kafka_topic,
        _partition AS kafka_partition,
        _offset AS kafka_offset,
        JSONExtract(text, 'Tuple(
            schema String, exchange String, canonical_symbol String, state String, first_id String, last_id String,
            start_us String, end_us String, reason String, found_at_us String, at_us String
        )') AS field,
        toInt64OrNull(field.start_us) AS start_number,
        toInt64OrNull(field.end_us) AS end_number,
        toInt64OrNull(field.found_at_us) AS found_number,
        toInt64OrNull(field.at_us) AS at_number
    FROM {{database}}.kafka_gaps_{{exchange}}
)
