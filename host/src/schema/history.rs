//! What was applied to a database, when, by whom and with which text: the table `schema_migrations`.

use std::collections::{BTreeSet, HashMap};

use clickhouse::Row;
use serde::{Deserialize, Serialize};

use super::error::SchemaError;
use super::files::{FILES, RETIRED};
use super::server::Server;
use super::statement::Statement;

/// The last application of one file, for one exchange where it is a template.
#[derive(Clone, Debug, Row, Deserialize)]
pub(super) struct Applied {
    name: String,
    exchange: String,
    /// SHA-256 of the file as it was.
    pub(super) checksum: String,
    /// The statement as it was run.
    pub(super) statement: String,
    /// When, UTC.
    pub(super) at: String,
    pub(super) by: String,
}

#[derive(Row, Serialize)]
struct NewRow {
    name: String,
    exchange: String,
    version: u32,
    checksum: String,
    statement: String,
    by: String,
}

/// What a database holds and what is known of how it came there.
#[derive(Debug, Default)]
pub(super) struct History {
    applied: HashMap<(String, String), Applied>,
    objects: BTreeSet<String>,
}

impl History {
    /// Reads it; empty where the database or the table is not there yet.
    pub(super) async fn read(server: &Server, database: &str) -> Result<Self, SchemaError> {
        if !server.has_database(database).await? {
            return Ok(Self::default());
        }
        let names: Vec<String> = server
            .rows("SELECT name FROM system.tables WHERE database = {database:String}", &[("database", database)])
            .await?;
        let objects: BTreeSet<String> = names.into_iter().collect();
        let mut applied = HashMap::new();
        if objects.contains("schema_migrations") {
            let sql = format!(
                "SELECT name, exchange, argMax(m.checksum, m.applied_at) AS checksum, argMax(m.statement, m.applied_at) AS statement, \
                 toString(toDateTime(max(m.applied_at), 'UTC')) AS at, argMax(m.by, m.applied_at) AS by \
                 FROM {database}.schema_migrations AS m GROUP BY name, exchange"
            );
            for row in server.rows::<Applied>(&sql, &[]).await? {
                applied.insert((row.name.clone(), row.exchange.clone()), row);
            }
        }
        Ok(Self { applied, objects })
    }

    /// The last application of a statement's file, if there was one.
    pub(super) fn of(&self, statement: &Statement) -> Option<&Applied> {
        self.applied.get(&(statement.file.name.to_owned(), statement.exchange.clone()))
    }

    /// The file of an earlier version that made a statement's object before.
    pub(super) fn former(&self, statement: &Statement) -> Option<&'static str> {
        let was_applied = |name: &str| self.applied.contains_key(&(name.to_owned(), statement.exchange.clone()));
        let of_object = RETIRED
            .iter()
            .filter(|(_, object)| object.replace("{{exchange}}", &statement.exchange) == statement.object);
        of_object.map(|(name, _)| *name).find(|name| was_applied(name))
    }

    /// Whether an object is in the database.
    pub(super) fn has(&self, object: &str) -> bool {
        self.objects.contains(object)
    }

    /// A file that was applied and that this program has never had.
    pub(super) fn unknown_file(&self) -> Option<String> {
        let mut unknown: Vec<&String> = self
            .applied
            .keys()
            .map(|(name, _)| name)
            .filter(|name| FILES.iter().all(|file| file.name != name.as_str()))
            .filter(|name| RETIRED.iter().all(|(retired, _)| *retired != name.as_str()))
            .collect();
        unknown.sort();
        unknown.first().map(|&name| name.clone())
    }
}

/// Makes the database and the table, where they are not there.
pub(super) async fn prepare(server: &Server, database: &str) -> Result<(), SchemaError> {
    if !server.has_database(database).await? {
        server.run(&format!("CREATE DATABASE IF NOT EXISTS {database}")).await?;
    }
    server
        .run(&format!(
            "CREATE TABLE IF NOT EXISTS {database}.schema_migrations (name String, exchange String, version UInt32, checksum String, \
             statement String, applied_at DateTime64(6, 'UTC') DEFAULT now64(6, 'UTC'), by String) \
             ENGINE = MergeTree ORDER BY (name, exchange, applied_at) SETTINGS fsync_after_insert = 1, fsync_part_directory = 1"
        ))
        .await
}

/// Writes down that a statement was run.
pub(super) async fn record(
    server: &Server,
    database: &str,
    statement: &Statement,
    by: &str,
) -> Result<(), SchemaError> {
    let row = NewRow {
        name: statement.file.name.to_owned(),
        exchange: statement.exchange.clone(),
        version: statement.file.version(),
        checksum: statement.checksum.clone(),
        statement: statement.text.clone(),
        by: by.to_owned(),
    };
    server.insert(&format!("{database}.schema_migrations"), &row).await
}
