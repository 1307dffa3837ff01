//! The ClickHouse objects by themselves: made and migrated by the library, fed record by record, without host or plugins.

mod applying;
mod backlog;
mod completeness;
mod gaps;
mod judging;
mod settings;
mod twins;

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::{Result, ensure};
use serde_json::{Value, json};
use tapedeck::plugin::TradeIds;
use tapedeck::schema::{Report, SchemaError, SchemaSettings, apply};
use tapedeck_tests::exchange::runtime;
use tapedeck_tests::{servers, wait};
use xtask::stack::Client;

/// Longest time for ClickHouse to get done what it was given, on two cores shared by many tests.
const PATIENCE: Duration = Duration::from_secs(90);

/// The exchange of all records here.
const EXCHANGE: &str = "north";

/// A database of its own on the shared server.
struct Database {
    settings: SchemaSettings,
    client: Client,
}

impl Drop for Database {
    fn drop(&mut self) {
        // Its refreshes and consumers would go on for as long as the server runs. Where the server is gone, so are they.
        let _ = self.client.query(&format!("DROP DATABASE IF EXISTS {} SYNC", self.settings.database));
    }
}

impl Database {
    /// Settings and client; nothing is applied.
    fn new(name: &str) -> Result<Self> {
        let stack = servers::shared()?;
        let settings = SchemaSettings {
            url: stack.clickhouse_http.clone(),
            database: format!("schema_{name}"),
            user: "default".into(),
            password: String::new(),
            kafka_brokers: stack.kafka.clone(),
            topic_prefix: format!("schema.{name}"),
            consumers: 1,
            bronze_days: 7,
            silver_days: None,
            quarantine_days: 30,
            exchanges: vec![EXCHANGE.into()],
            trade_ids: BTreeMap::from([(EXCHANGE.into(), TradeIds::Dense)]),
        };
        Ok(Self { settings, client: stack.clickhouse().client() })
    }

    /// The same, applied.
    fn applied(name: &str) -> Result<Self> {
        let database = Self::new(name)?;
        database.apply()?;
        Ok(database)
    }

    fn apply(&self) -> Result<Report, SchemaError> {
        runtime().block_on(apply(&self.settings))
    }

    /// Runs a query with `{db}` for the database.
    fn query(&self, sql: &str) -> Result<String> {
        self.client.query(&sql.replace("{db}", &self.settings.database))
    }

    fn count(&self, sql: &str) -> Result<u64> {
        self.client.count(&sql.replace("{db}", &self.settings.database))
    }

    /// Puts records where Kafka's would arrive, as one block; their offsets count from 0.
    fn insert(&self, records: &[String]) -> Result<()> {
        let rows = records.iter().enumerate().map(|(offset, raw)| {
            json!({ "raw": raw, "kafka_topic": "topic", "kafka_partition": 0, "kafka_offset": offset }).to_string()
        });
        let rows = rows.collect::<Vec<_>>().join("\n");
        self.query(&format!("INSERT INTO {{db}}.raw_trades_{EXCHANGE} FORMAT JSONEachRow {rows}"))?;
        Ok(())
    }

    /// Waits until every refresh has nothing left to do: gold has seen all marks, and every twin is buried.
    fn settle(&self) -> Result<()> {
        wait::until_true("gold has caught up", PATIENCE, || {
            // Each is asked for before what follows from it: a burial that comes between two of these leaves gold behind.
            // Marks come a moment after their rows.
            let unmarked = self.count(
                "SELECT (SELECT count() FROM {db}.silver_trades) > (SELECT sum(marks) FROM {db}.minute_marks)",
            )?;
            let unburied = self.count(
                "SELECT count() FROM (SELECT edge, trade_id, countIf(best > buried) AS alive FROM \
                 (SELECT canonical_symbol, edge, trade_id, minute, max(best_source) AS best, max(buried_source) AS buried \
                 FROM {db}.minute_marks WHERE toUnixTimestamp(edge) != 0 GROUP BY 1, 2, 3, 4) \
                 GROUP BY canonical_symbol, edge, trade_id) WHERE alive > 1",
            )?;
            let behind = self.count(
                "SELECT count() FROM (SELECT canonical_symbol, minute, sum(marks) AS m FROM {db}.minute_marks GROUP BY 1, 2) AS d \
                 LEFT JOIN (SELECT canonical_symbol, minute, max(version) AS v FROM {db}.gold_1m GROUP BY 1, 2) AS g \
                 USING (canonical_symbol, minute) WHERE d.m != g.v",
            )?;
            let hours_behind = self.count(
                "SELECT count() FROM (SELECT canonical_symbol, toStartOfHour(minute) AS hour, sum(version) AS m \
                 FROM {db}.gold_1m FINAL GROUP BY 1, 2) AS d \
                 LEFT JOIN (SELECT canonical_symbol, hour, max(version) AS v FROM {db}.gold_1h GROUP BY 1, 2) AS g \
                 USING (canonical_symbol, hour) WHERE d.m != g.v",
            )?;
            Ok(unmarked == 0 && unburied == 0 && behind == 0 && hours_behind == 0)
        })
    }

    /// Makes sure that candles of all intervals equal a recomputation from silver's distinct trades.
    fn gold_equals_silver(&self) -> Result<()> {
        for (interval, seconds) in
            [("1m", 60), ("5m", 300), ("15m", 900), ("30m", 1_800), ("1h", 3_600), ("1d", 86_400)]
        {
            let gold = self.query(&format!(
                "SELECT canonical_symbol, toUnixTimestamp(bucket), open, high, low, close, volume, quote_volume, trades \
                 FROM {{db}}.ohlcv_{interval} ORDER BY canonical_symbol, bucket"
            ))?;
            let silver = self.query(&format!(
                "SELECT canonical_symbol, intDiv(toUnixTimestamp(timestamp), {seconds}) * {seconds} AS start, \
                 argMin(price, (timestamp, order)), max(price), min(price), argMax(price, (timestamp, order)), \
                 sum(toDecimal256(quantity, 12)), sum(toDecimal256(price, 12) * toDecimal256(quantity, 12)), count() \
                 FROM {{db}}.silver_trades FINAL GROUP BY canonical_symbol, start ORDER BY canonical_symbol, start"
            ))?;
            ensure!(!gold.is_empty() && gold == silver, "candles of {interval}:\n{gold}\nrecomputed:\n{silver}");
        }
        Ok(())
    }
}

/// Fields of a record, in the order in which the host writes them.
const FIELDS: [&str; 17] = [
    "schema",
    "exchange",
    "symbol",
    "canonical_symbol",
    "market_kind",
    "trade_id",
    "order",
    "count",
    "price",
    "quantity",
    "side",
    "timestamp_us",
    "received_at_us",
    "source",
    "vendor",
    "plugin",
    "plugin_version",
];

/// A good record as the host writes it; `changes` replaces fields, and a null takes them away.
fn record(changes: Value) -> String {
    written(&fields(changes), FIELDS)
}

/// The same, as another program may write it.
fn foreign_record(changes: Value) -> String {
    written(&fields(changes), FIELDS.into_iter().rev())
}

fn written(fields: &Value, names: impl IntoIterator<Item = &'static str>) -> String {
    let fields = names.into_iter().filter_map(|name| Some(format!("\"{name}\":{}", fields.get(name)?)));
    format!("{{{}}}", fields.collect::<Vec<_>>().join(","))
}

fn fields(changes: Value) -> Value {
    let mut fields = json!({
        "schema": 1, "exchange": EXCHANGE, "symbol": "BTCUSDT", "canonical_symbol": "BTC/USDT", "market_kind": "spot",
        "trade_id": "123", "order": 123, "count": 1, "price": "2683.80000000", "quantity": "0.002", "side": "BUY",
        "timestamp_us": 1_723_161_255_611_000_i64, "received_at_us": 1_723_161_255_999_000_i64, "source": "live",
        "vendor": {}, "plugin": "test", "plugin_version": "0.1.0"
    });
    if let (Value::Object(fields), Value::Object(changes)) = (&mut fields, changes) {
        for (name, value) in changes {
            if value.is_null() {
                fields.remove(&name)
            } else {
                fields.insert(name, value)
            };
        }
    }
    fields
}
