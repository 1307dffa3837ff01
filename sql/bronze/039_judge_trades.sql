-- Judges what is not plainly a trade: some of it is one all the same. Every number is taken as text and checked digit by digit before it is
-- converted, because conversions cut what does not fit without a word. A JSON number is no price, for its digits may be
-- gone: that a value stood in quotes is seen by looking for it, and asked of the parser only where it is not found.
CREATE MATERIALIZED VIEW IF NOT EXISTS {{database}}.judge_trades_{{exchange}} TO {{database}}.judged_trades_{{exchange}} AS
WITH
    toUnixTimestamp64Micro(ingested_at) AS now_us,
    position(raw, concat('"price":"', price_text, '"')) > 0 OR JSONType(raw, 'price') = 'String' AS price_is_text,
    substringIndex(price_text, '.', 1) AS price_integer,
    length(trim(LEADING '0' FROM trim(LEADING '-' FROM price_integer))) AS price_integer_digits,
    length(trim(TRAILING '0' FROM substring(price_text, length(price_integer) + 2))) AS price_fraction_digits,
    position(raw, concat('"quantity":"', quantity_text, '"')) > 0 OR JSONType(raw, 'quantity') = 'String' AS quantity_is_text,
    substringIndex(quantity_text, '.', 1) AS quantity_integer,
    length(trim(LEADING '0' FROM trim(LEADING '-' FROM quantity_integer))) AS quantity_integer_digits,
    length(trim(TRAILING '0' FROM substring(quantity_text, length(quantity_integer) + 2))) AS quantity_fraction_digits
SELECT
    field.exchange AS exchange,
    field.symbol AS symbol,
    field.canonical_symbol AS canonical_symbol,
    field.market_kind AS market_kind,
    field.trade_id AS trade_id,
    ifNull(order_number, 0) AS order,
    ifNull(count_number, 0) AS count,
    ifNull(price_decimal, 0) AS price,
    ifNull(quantity_decimal, 0) AS quantity,
    CAST(multiIf(field.side = 'BUY', 1, field.side = 'SELL', 2, 0), 'Enum8(\'UNKNOWN\' = 0, \'BUY\' = 1, \'SELL\' = 2)') AS side,
    fromUnixTimestamp64Micro(ifNull(timestamp_number, 0), 'UTC') AS timestamp,
    CAST(multiIf(field.source = 'live', 3, field.source = 'snapshot', 2, 1), 'Enum8(\'backfill\' = 1, \'snapshot\' = 2, \'live\' = 3)') AS source,
    fromUnixTimestamp64Micro(ifNull(received_number, 0), 'UTC') AS received_at,
    field.vendor AS vendor,
    field.plugin AS plugin,
    field.plugin_version AS plugin_version,
    kafka_topic,
    kafka_partition,
    kafka_offset,
    ingested_at,
    field.source AS claimed_source,
    raw,
    multiIf(
        NOT startsWith(trimLeft(raw), '{') OR (field.schema = '' AND NOT isValidJSON(raw)), 'not a JSON object',
        field.schema = '', 'schema is missing',
        field.schema != '1', 'schema is not supported',
        field.exchange != '{{exchange}}', 'exchange is not {{exchange}}',
        field.symbol = '', 'symbol is missing',
        field.canonical_symbol = '', 'canonical_symbol is missing',
        field.market_kind = '', 'market_kind is missing',
        field.trade_id = '', 'trade_id is missing',
        order_number IS NULL, 'order is not a whole number',
        count_number IS NULL OR count_number = 0, 'count is not a whole number above 0',
        NOT price_is_text OR NOT match(price_text, '^-?[0-9]+([.][0-9]+)?$'), 'price is not a decimal in text',
        price_fraction_digits > 12, 'price has more than 12 fraction digits',
        price_integer_digits > 26 OR price_decimal IS NULL, 'price has more than 26 integer digits',
        price_decimal <= 0, 'price is not positive',
        NOT quantity_is_text OR NOT match(quantity_text, '^-?[0-9]+([.][0-9]+)?$'), 'quantity is not a decimal in text',
        quantity_fraction_digits > 12, 'quantity has more than 12 fraction digits',
        quantity_integer_digits > 26 OR quantity_decimal IS NULL, 'quantity has more than 26 integer digits',
        quantity_decimal <= 0, 'quantity is not positive',
        price_integer_digits + quantity_integer_digits > 42, 'price times quantity has more than 42 integer digits',
        field.side NOT IN ('BUY', 'SELL', 'UNKNOWN'), 'side is none of BUY, SELL, UNKNOWN',
        field.source NOT IN ('live', 'snapshot', 'backfill'), 'source is none of live, snapshot, backfill',
        timestamp_number IS NULL, 'timestamp_us is not a whole number',
        timestamp_number < 1230768000000000, 'timestamp is before 2009',
        timestamp_number > now_us + 86400000000, 'timestamp is more than a day ahead',
        timestamp_number < toUnixTimestamp64Micro(toDateTime64({{silver_floor}}, 6, 'UTC')), 'timestamp is older than silver keeps',
        received_number IS NULL OR received_number < 0 OR received_number > 4102444800000000, 'received_at_us is not a time',
        field.plugin = '' OR field.plugin_version = '', 'plugin is missing',
        ''
    ) AS reason
FROM
(
    SELECT
        raw,
        kafka_topic,
        kafka_partition,
        kafka_offset,
        now64(6, 'UTC') AS ingested_at,
        JSONExtract(raw, 'Tuple(
            schema String, exchange String, symbol String, canonical_symbol String, market_kind String, trade_id String,
            order String, count String, price String, quantity String, side String, timestamp_us String,
            received_at_us String, source String, vendor String, plugin String, plugin_version String
        )') AS field,
        field.price AS price_text,
        field.quantity AS quantity_text,
        toDecimal128OrNull(price_text, 12) AS price_decimal,
        toDecimal128OrNull(quantity_text, 12) AS quantity_decimal,
        toUInt64OrNull(field.order) AS order_number,
        toUInt32OrNull(field.count) AS count_number,
        toInt64OrNull(field.timestamp_us) AS timestamp_number,
        toInt64OrNull(field.received_at_us) AS received_number
    FROM {{database}}.odd_trades_{{exchange}}
)
