//! Settings that change after the objects were made, with records under way.

use std::collections::BTreeMap;

use anyhow::{Result, ensure};
use serde_json::json;
use tapedeck::schema::{Action, Report, plan};
use tapedeck_tests::exchange::runtime;
use tapedeck_tests::kafka::{Record, Topic};
use tapedeck_tests::wait;

use super::{Database, EXCHANGE, PATIENCE, record};

fn objects(report: &Report, action: Action) -> Vec<&str> {
    report.changes.iter().filter(|change| change.action == action).map(|change| change.object.as_str()).collect()
}

#[test]
fn a_retention_changes_in_place() -> Result<()> {
    let mut database = Database::applied("days")?;
    database.settings.bronze_days = 3;
    database.settings.quarantine_days = 9;
    let planned = runtime().block_on(plan(&database.settings))?;
    ensure!(objects(&planned, Action::Alter) == ["quarantine", "bronze_trades_north"], "{planned}");
    ensure!(planned.changes.len() == 2 && planned.to_string().contains("INTERVAL 3 DAY"), "{planned}");
    ensure!(database.apply()? == planned);
    let table = database.query(
        "SELECT create_table_query FROM system.tables WHERE database = '{db}' AND name = 'bronze_trades_north'",
    )?;
    ensure!(table.contains("toIntervalDay(3)"), "{table}");

    database.settings.silver_days = Some(100);
    let report = database.apply()?;
    ensure!(objects(&report, Action::Alter) == ["silver_trades", "gaps"], "{report}");
    let recreated = objects(&report, Action::Recreate);
    ensure!(recreated.contains(&"find_pending") && recreated.contains(&"judge_trades_north"), "{report}");
    ensure!(!recreated.contains(&"mark_minutes") && objects(&report, Action::Create).is_empty(), "{report}");
    let table = database
        .query("SELECT create_table_query FROM system.tables WHERE database = '{db}' AND name = 'silver_trades'")?;
    ensure!(table.contains("toIntervalDay(102)"), "{table}");
    ensure!(database.apply()?.is_current());
    Ok(())
}

#[test]
fn a_new_exchange_gets_its_own_objects_only() -> Result<()> {
    let mut database = Database::applied("another")?;
    database.settings.exchanges.push("south".into());
    let report = database.apply()?;
    ensure!(report.changes.iter().all(|change| change.object.ends_with("_south")), "{report}");
    ensure!(objects(&report, Action::Create).contains(&"bronze_trades_south"), "{report}");
    Ok(())
}

/// Seed 43: trades flow while the topic's objects are rebuilt.
#[test]
fn no_record_is_lost_while_the_chain_is_rebuilt() -> Result<()> {
    let mut database = Database::new("rebuilt")?;
    let topic = Topic::new(&database.settings.kafka_brokers, &format!("{}.{EXCHANGE}", database.settings.topic_prefix));
    topic.create()?;
    database.apply()?;
    let mut random = fastrand::Rng::with_seed(43);
    let mut sent = 0_u64;
    let mut produce = |count: u64| -> Result<()> {
        let records: Vec<Record> = (sent..sent + count)
            .map(|id| Record {
                partition: random.i32(0..4),
                key: b"north:BTC/USDT".to_vec(),
                payload: record(json!({ "trade_id": id.to_string(), "order": id })).into_bytes(),
                headers: BTreeMap::new(),
            })
            .collect();
        sent += count;
        topic.produce(&records)
    };
    produce(5_000)?;
    database.settings.consumers = 2;
    let planned = runtime().block_on(plan(&database.settings))?;
    ensure!(planned.to_string().contains("+ kafka_num_consumers = 2"), "{planned}");
    ensure!(!objects(&planned, Action::Recreate).contains(&"bronze_trades_north"), "{planned}");
    let report = database.apply()?;
    ensure!(objects(&report, Action::Recreate).contains(&"kafka_trades_north"), "{report}");
    produce(5_000)?;
    wait::until_true("all records are in silver", PATIENCE, || {
        Ok(database.count("SELECT count() FROM {db}.silver_trades FINAL")? == 10_000)
    })?;
    let lineage =
        database.count("SELECT uniqExact(kafka_topic, kafka_partition, kafka_offset) FROM {db}.bronze_trades_north")?;
    ensure!(lineage == 10_000, "{lineage} places in Kafka");
    ensure!(database.count("SELECT count() FROM {db}.quarantine")? == 0);
    database.settle()?;
    database.gold_equals_silver()
}
