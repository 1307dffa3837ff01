-- Parses each record once. It is plainly a trade if it looks as the host writes it: all else is judged by
-- `judge_trades_{{exchange}}`, by the same rules and with a reason for each, which takes several times as long. Numbers are taken as
-- text, because conversions cut what does not fit without a word: 14 digits and 12 behind the point fit.
CREATE MATERIALIZED VIEW IF NOT EXISTS {{database}}.parse_trades_{{exchange}} TO {{database}}.parsed_trades_{{exchange}} AS
SELECT
    '{{exchange}}' AS exchange,
    field.symbol AS symbol,
    field.canonical_symbol AS canonical_symbol,
    field.market_kind AS market_kind,
    field.trade_id AS trade_id,
    toUInt64OrZero(field.order) AS order,
    toUInt32OrZero(field.count) AS count,
    toDecimal128OrZero(field.price, 12) AS price,
    toDecimal128OrZero(field.quantity, 12) AS quantity,
    multiIf(field.side = 'BUY', 1, field.side = 'SELL', 2, 0) AS side,
    fromUnixTimestamp64Micro(timestamp_us, 'UTC') AS timestamp,
    multiIf(field.source = 'live', 3, field.source = 'snapshot', 2, 1) AS source,
    fromUnixTimestamp64Micro(received_us, 'UTC') AS received_at,
    field.vendor AS vendor,
    field.plugin AS plugin,
    field.plugin_version AS plugin_version,
    kafka_topic,
    kafka_partition,
    kafka_offset,
    now64(6, 'UTC') AS ingested_at,
    raw,
    startsWith(raw, '{"schema":1,"exchange":"{{exchange}}","')
        AND match(raw, '"price":"[0-9]{1,14}(?:[.][0-9]{1,12})?","quantity":"[0-9]{1,14}(?:[.][0-9]{1,12})?","side":"(?:BUY|SELL|UNKNOWN)",')
        AND countSubstrings(raw, '"price"') = 1
        AND price > 0 AND quantity > 0 AND order > 0 AND count > 0 AND field.source IN ('live', 'snapshot', 'backfill')
        AND notEmpty(symbol) AND notEmpty(canonical_symbol) AND notEmpty(market_kind) AND notEmpty(trade_id)
        AND notEmpty(plugin) AND notEmpty(plugin_version)
        AND timestamp BETWEEN greatest(toDateTime64('2009-01-01 00:00:00', 6, 'UTC'), toDateTime64({{silver_floor}}, 6, 'UTC')) AND ingested_at + INTERVAL 1 DAY
        AND received_us BETWEEN 1 AND 4102444800000000 AS is_plain
FROM
(
    SELECT
        raw,
        kafka_topic,
        kafka_partition,
        kafka_offset,
        JSONExtract(raw, 'Tuple(
            symbol LowCardinality(String), canonical_symbol LowCardinality(String), market_kind LowCardinality(String),
            trade_id String, order String, count String, price String, quantity String, side String, timestamp_us String,
            received_at_us String, source String, vendor String, plugin LowCardinality(String), plugin_version LowCardinality(String)
        )') AS field,
        toInt64OrZero(field.timestamp_us) AS timestamp_us,
        toInt64OrZero(field.received_at_us) AS received_us
    FROM {{database}}.raw_trades_{{exchange}}
)
