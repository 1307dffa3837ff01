//! One Kafka table, one view, one plain table: what ClickHouse's documentation shows.

use anyhow::Result;

use super::chain::Chain;
use super::stage::Stage;

/// Columns of a trade as every plain table keeps them.
const COLUMNS: &str = "exchange LowCardinality(String), symbol LowCardinality(String), canonical_symbol LowCardinality(String), \
    market_kind LowCardinality(String), trade_id String, order UInt64, count UInt32, price Decimal(38, 12), \
    quantity Decimal(38, 12), side Enum8('UNKNOWN' = 0, 'BUY' = 1, 'SELL' = 2), timestamp DateTime64(6, 'UTC'), \
    source Enum8('backfill' = 1, 'snapshot' = 2, 'live' = 3), received_at DateTime64(6, 'UTC'), vendor String, \
    plugin LowCardinality(String), plugin_version LowCardinality(String)";

/// Columns of a Kafka table that parses values to their types.
const TYPED: &str = "exchange LowCardinality(String), symbol LowCardinality(String), canonical_symbol LowCardinality(String), \
    market_kind LowCardinality(String), trade_id String, order UInt64, count UInt32, price Decimal(38, 12), \
    quantity Decimal(38, 12), side Enum8('UNKNOWN' = 0, 'BUY' = 1, 'SELL' = 2), timestamp_us Int64, received_at_us Int64, \
    source Enum8('backfill' = 1, 'snapshot' = 2, 'live' = 3), vendor String, plugin LowCardinality(String), \
    plugin_version LowCardinality(String)";

/// Columns of a Kafka table that leaves them as text.
const TEXT: &str = "exchange String, symbol String, canonical_symbol String, market_kind String, trade_id String, order String, \
    count String, price String, quantity String, side String, timestamp_us String, received_at_us String, source String, \
    vendor String, plugin String, plugin_version String";

/// How a Kafka table reads a record's fields.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fields {
    /// As what they are.
    Typed,
    /// As text, which the view casts.
    Text,
}

/// JSONEachRow into one table.
pub(super) fn prepare(stage: &Stage<'_>, fields: Fields) -> Result<Chain> {
    let (client, database) = (stage.client(), stage.next_run());
    Chain::create(&client, &database, &[table(&database, "trades"), queue(stage, &database, fields)])?;
    let trades = format!("SELECT count() FROM {database}.trades");
    Ok(Chain {
        open: reader(&database, fields, "trades"),
        arrived: trades.clone(),
        followed: trades,
        sums: format!("SELECT count(), sum(quantity) FROM {database}.trades"),
        faults: Vec::new(),
        tables: Vec::new(),
        _pipeline: None,
        client,
        database,
    })
}

/// Records read as one text each, counted and thrown away: what no way of reading them with Kafka's engine goes below.
pub(super) fn prepare_nothing(stage: &Stage<'_>) -> Result<Chain> {
    let (client, database) = (stage.client(), stage.next_run());
    let counts =
        format!("CREATE TABLE {database}.counts (trades UInt64, bytes UInt64) ENGINE = MergeTree ORDER BY tuple()");
    let queue = queue_of(stage, &database, "raw String", "RawBLOB");
    Chain::create(&client, &database, &[counts, queue])?;
    let trades = format!("SELECT sum(trades) FROM {database}.counts");
    Ok(Chain {
        open: format!(
            "CREATE MATERIALIZED VIEW {database}.reader TO {database}.counts AS \
             SELECT count() AS trades, sum(length(raw)) AS bytes FROM {database}.queue"
        ),
        arrived: trades.clone(),
        followed: trades,
        // Quantities are nobody's here.
        sums: format!("SELECT sum(trades), '{}' FROM {database}.counts", stage.backlog.volume),
        faults: Vec::new(),
        tables: Vec::new(),
        _pipeline: None,
        client,
        database,
    })
}

/// A plain table of trades.
pub(super) fn table(database: &str, name: &str) -> String {
    format!(
        "CREATE TABLE {database}.{name} ({COLUMNS}) ENGINE = MergeTree PARTITION BY toDate(timestamp) \
         ORDER BY (canonical_symbol, timestamp, order)"
    )
}

/// The Kafka table of a record's fields.
pub(super) fn queue(stage: &Stage<'_>, database: &str, fields: Fields) -> String {
    queue_of(stage, database, if fields == Fields::Typed { TYPED } else { TEXT }, "JSONEachRow")
}

/// A Kafka table, with the settings of the product's own, which are faster than the defaults.
fn queue_of(stage: &Stage<'_>, database: &str, columns: &str, format: &str) -> String {
    format!(
        "CREATE TABLE {database}.queue ({columns}) ENGINE = Kafka SETTINGS kafka_broker_list = '{}', \
         kafka_topic_list = '{}', kafka_group_name = '{database}', kafka_format = '{format}', kafka_num_consumers = 1, \
         kafka_max_block_size = 65536, kafka_poll_max_batch_size = 65536, kafka_poll_timeout_ms = 100, \
         kafka_flush_interval_ms = 500",
        stage.stack.kafka,
        stage.topic.name()
    )
}

/// The view from the Kafka table into a table of trades: the last object, which makes all of it read.
pub(super) fn reader(database: &str, fields: Fields, table: &str) -> String {
    let numbers = match fields {
        Fields::Typed => {
            "order, count, price, quantity, side, fromUnixTimestamp64Micro(timestamp_us, 'UTC') AS timestamp, \
                          source, fromUnixTimestamp64Micro(received_at_us, 'UTC') AS received_at"
        }
        Fields::Text => {
            "toUInt64(queue.order) AS order, toUInt32(queue.count) AS count, \
             toDecimal128(queue.price, 12) AS price, toDecimal128(queue.quantity, 12) AS quantity, \
             CAST(queue.side, 'Enum8(\\'UNKNOWN\\' = 0, \\'BUY\\' = 1, \\'SELL\\' = 2)') AS side, \
             fromUnixTimestamp64Micro(toInt64(timestamp_us), 'UTC') AS timestamp, \
             CAST(queue.source, 'Enum8(\\'backfill\\' = 1, \\'snapshot\\' = 2, \\'live\\' = 3)') AS source, \
             fromUnixTimestamp64Micro(toInt64(received_at_us), 'UTC') AS received_at"
        }
    };
    format!(
        "CREATE MATERIALIZED VIEW {database}.reader TO {database}.{table} AS SELECT exchange, symbol, canonical_symbol, \
         market_kind, trade_id, {numbers}, vendor, plugin, plugin_version FROM {database}.queue"
    )
}
