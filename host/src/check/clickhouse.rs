//! Whether ClickHouse answers, lets the user in, and has the objects as this version makes them.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use super::{Findings, count, some};
use crate::config::{ClickHouseConfig, Config};
use crate::plugin::TradeIds;
use crate::schema::{self, Consumers, SchemaError, SchemaSettings};
use crate::session::chain;

/// How long ClickHouse may take for its answers.
const PATIENCE: Duration = Duration::from_secs(10);

/// Asks for the objects of these exchanges; makes none.
pub(super) async fn check(
    config: &Config,
    exchanges: &[String],
    trade_ids: BTreeMap<String, TradeIds>,
    file: &Path,
) -> Findings {
    let mut findings = Findings::default();
    let Some(clickhouse) = &config.clickhouse else {
        let note = "there is no section [clickhouse]: trades go to Kafka, and no candles are made";
        findings.notes.push(note.to_owned());
        return findings;
    };
    let settings = schema_settings(config, clickhouse, exchanges.to_vec(), trade_ids);
    let url = &clickhouse.url;
    match tokio::time::timeout(PATIENCE, ask(&settings, file)).await {
        Ok(Ok(answer)) => answer,
        Ok(Err(error)) => {
            findings.problems.push(chain(&error));
            findings
        }
        Err(_) => {
            let seconds = PATIENCE.as_secs();
            let problem = format!(
                "ClickHouse at {url} does not answer within {seconds} s: is it overloaded, is a proxy between?"
            );
            findings.problems.push(problem);
            findings
        }
    }
}

async fn ask(settings: &SchemaSettings, file: &Path) -> Result<Findings, SchemaError> {
    let mut findings = Findings::default();
    let status = schema::status(settings).await?;
    findings.passed.push(format!("ClickHouse {} answers at {}", status.server, settings.url));
    let report = schema::plan(settings).await?;
    if report.is_current() {
        let files = count(status.files.len(), "statement");
        findings.passed.push(format!("database {} is up to date: {files} applied", status.database));
    } else {
        // An object may be made by one file and altered by another.
        let mut names: Vec<String> = Vec::new();
        for change in &report.changes {
            if !names.contains(&change.object) {
                names.push(change.object.clone());
            }
        }
        findings.problems.push(format!(
            "database {}: {} missing or out of date ({}); run `tapedeck sql apply --config {}` (`sql plan` shows what it \
             would do)",
            status.database,
            count(names.len(), "object"),
            some(&names),
            file.display()
        ));
    }
    for (view, message) in &status.failing_refreshes {
        findings.problems.push(format!("database {}: {view} cannot refresh: {message}", status.database));
    }
    match schema::consumers(settings).await {
        Ok(consumers) => judge(&consumers, settings, &mut findings),
        // Who may make the objects need not be allowed to read the server's settings.
        Err(error @ SchemaError::Rights { .. }) => findings.notes.push(format!(
            "whether ClickHouse has threads enough for its consumers of Kafka is not known: {}",
            chain(&error)
        )),
        Err(error) => return Err(error),
    }
    Ok(findings)
}

/// Whether all consumers of Kafka can be at work at the same time.
fn judge(consumers: &Consumers, settings: &SchemaSettings, findings: &mut Findings) {
    let Some(threads) = consumers.threads else { return };
    let (wanted, own, others) = (consumers.wanted(), consumers.own, consumers.others);
    if wanted <= threads {
        findings.passed.push(format!("ClickHouse has {threads} threads for consumers of Kafka; {wanted} are wanted"));
        return;
    }
    let fewer = if settings.consumers > 1 { ", or fewer `consumers` in [clickhouse]" } else { "" };
    findings.notes.push(format!(
        "ClickHouse at {} has {threads} threads for consumers of Kafka, and {wanted} are wanted ({own} by this configuration, \
         {others} by other tables): consumers take turns, and trades come late. Set \
         `background_message_broker_schedule_pool_size` to {wanted} or more in the server's own configuration (a file in its \
         config.d){fewer}",
        settings.url
    ));
}

/// What the ClickHouse objects of these exchanges depend on.
pub(crate) fn schema_settings(
    config: &Config,
    clickhouse: &ClickHouseConfig,
    exchanges: Vec<String>,
    trade_ids: BTreeMap<String, TradeIds>,
) -> SchemaSettings {
    SchemaSettings {
        url: clickhouse.url.clone(),
        database: clickhouse.database.clone(),
        user: clickhouse.user.clone(),
        password: clickhouse.password.expose().to_owned(),
        kafka_brokers: clickhouse.kafka_brokers.clone(),
        topic_prefix: config.kafka.topic_prefix.clone(),
        consumers: clickhouse.consumers,
        bronze_days: clickhouse.bronze_days,
        silver_days: clickhouse.silver_days,
        quarantine_days: clickhouse.quarantine_days,
        exchanges,
        trade_ids,
    }
}
