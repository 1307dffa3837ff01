//! Bronze, silver and gold as they are often built: each table filled by a materialized view on the one before, candles as
//! aggregate states. Nothing knows a trade again, so one that is delivered twice counts twice.

use anyhow::Result;

use super::chain::Chain;
use super::plain::{self, Fields};
use super::stage::Stage;

/// Names of the intervals, and what ClickHouse calls them.
const INTERVALS: [(&str, &str); 6] = [
    ("1m", "INTERVAL 1 MINUTE"),
    ("5m", "INTERVAL 5 MINUTE"),
    ("15m", "INTERVAL 15 MINUTE"),
    ("30m", "INTERVAL 30 MINUTE"),
    ("1h", "INTERVAL 1 HOUR"),
    ("1d", "INTERVAL 1 DAY"),
];

/// Records read as text, which is the cheaper way of JSONEachRow, through both tables into six of candles.
pub(super) fn prepare(stage: &Stage<'_>) -> Result<Chain> {
    let (client, database) = (stage.client(), stage.next_run());
    let mut statements = vec![plain::table(&database, "bronze"), silver(&database), unify(&database)];
    for (name, interval) in INTERVALS {
        statements.extend([candles(&database, name), make(&database, name, interval)]);
    }
    statements.push(plain::queue(stage, &database, Fields::Text));
    Chain::create(&client, &database, &statements)?;
    let of_candles = |name: &str| format!("SELECT sum(trades) FROM {database}.candles_{name}");
    Ok(Chain {
        open: plain::reader(&database, Fields::Text, "bronze"),
        arrived: of_candles("1m"),
        followed: of_candles("1d"),
        sums: format!("SELECT sum(trades), sum(volume) FROM {database}.candles_1m"),
        faults: vec![format!(
            "SELECT count() FROM (SELECT canonical_symbol, bucket, argMinMerge(open), max(high), min(low), \
             argMaxMerge(close), sum(volume), sum(trades) FROM {database}.candles_1m GROUP BY canonical_symbol, bucket \
             EXCEPT SELECT canonical_symbol, minute, argMin(price, (timestamp, order)), max(price), min(price), \
             argMax(price, (timestamp, order)), sum(quantity), count() FROM {database}.silver \
             GROUP BY canonical_symbol, minute)"
        )],
        tables: vec![("bronze".to_owned(), super::run::BRONZE), ("silver".to_owned(), super::run::SILVER)],
        _pipeline: None,
        client,
        database,
    })
}

fn silver(database: &str) -> String {
    format!(
        "CREATE TABLE {database}.silver (exchange LowCardinality(String), symbol LowCardinality(String), \
         canonical_symbol LowCardinality(String), market_kind LowCardinality(String), trade_id String, order UInt64, \
         count UInt32, price Decimal(38, 12), quantity Decimal(38, 12), \
         side Enum8('UNKNOWN' = 0, 'BUY' = 1, 'SELL' = 2), timestamp DateTime64(6, 'UTC'), minute DateTime('UTC'), \
         source Enum8('backfill' = 1, 'snapshot' = 2, 'live' = 3), received_at DateTime64(6, 'UTC'), vendor String) \
         ENGINE = MergeTree PARTITION BY toDate(minute) ORDER BY (exchange, canonical_symbol, timestamp, order)"
    )
}

fn unify(database: &str) -> String {
    format!(
        "CREATE MATERIALIZED VIEW {database}.unify TO {database}.silver AS SELECT exchange, symbol, canonical_symbol, \
         market_kind, trade_id, order, count, price, quantity, side, timestamp, \
         toStartOfMinute(toDateTime(timestamp, 'UTC')) AS minute, source, received_at, vendor FROM {database}.bronze"
    )
}

fn candles(database: &str, name: &str) -> String {
    let place = "AggregateFunction(argMin, Decimal(38, 12), Tuple(DateTime64(6, 'UTC'), UInt64))";
    format!(
        "CREATE TABLE {database}.candles_{name} (exchange LowCardinality(String), canonical_symbol LowCardinality(String), \
         bucket DateTime('UTC'), open {place}, high SimpleAggregateFunction(max, Decimal(38, 12)), \
         low SimpleAggregateFunction(min, Decimal(38, 12)), close {}, \
         volume SimpleAggregateFunction(sum, Decimal(38, 12)), quote_volume SimpleAggregateFunction(sum, Decimal(38, 24)), \
         trades SimpleAggregateFunction(sum, UInt64)) \
         ENGINE = AggregatingMergeTree ORDER BY (exchange, canonical_symbol, bucket)",
        place.replace("argMin", "argMax")
    )
}

fn make(database: &str, name: &str, interval: &str) -> String {
    format!(
        "CREATE MATERIALIZED VIEW {database}.make_{name} TO {database}.candles_{name} AS SELECT exchange, canonical_symbol, \
         toDateTime(toStartOfInterval(minute, {interval}, 'UTC'), 'UTC') AS bucket, \
         argMinState(price, (timestamp, order)) AS open, max(price) AS high, \
         min(price) AS low, argMaxState(price, (timestamp, order)) AS close, sum(quantity) AS volume, \
         sum(price * quantity) AS quote_volume, count() AS trades \
         FROM {database}.silver GROUP BY exchange, canonical_symbol, bucket"
    )
}
