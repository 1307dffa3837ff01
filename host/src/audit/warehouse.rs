//! ClickHouse, asked for the audit.

use std::fmt;

use clickhouse::{Client, Compression, RowOwned, RowRead};

use super::days::Day;
use crate::schema::{SchemaError, server_code};

/// Where ClickHouse is.
#[derive(Clone)]
pub struct AuditSource {
    /// Address of its HTTP interface.
    pub url: String,
    /// Database made by `tapedeck sql apply`.
    pub database: String,
    /// User; it needs to write only to mend.
    pub user: String,
    /// That user's password; empty for none.
    pub password: String,
}

impl fmt::Debug for AuditSource {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "AuditSource({} on {} as {})", self.database, self.url, self.user)
    }
}

/// Why nothing can be said.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AuditError {
    /// The database or its objects are not there.
    #[error("database {database} is not as this version makes it: run `tapedeck sql apply` first")]
    NotApplied {
        /// Database that was asked.
        database: String,
    },
    /// ClickHouse could not be reached or asked.
    #[error(transparent)]
    Server(SchemaError),
    /// Kafka could not be reached or asked.
    #[error("Kafka at {brokers} cannot be asked for the offsets of {topic}")]
    Kafka {
        /// Brokers that were tried.
        brokers: String,
        /// Topic in question.
        topic: String,
        /// What the client said.
        #[source]
        source: Box<rdkafka::error::KafkaError>,
    },
    /// Something of our own ended early.
    #[error("the audit was cut short: {0}")]
    CutShort(String),
    /// The report could not be written.
    #[error("the report cannot be written as JSON")]
    Render(#[from] serde_json::Error),
}

/// A client of one database.
pub(super) struct Warehouse {
    client: Client,
    source: AuditSource,
}

impl Warehouse {
    pub(super) fn new(source: &AuditSource) -> Self {
        let client = Client::default()
            .with_url(&source.url)
            .with_database(&source.database)
            .with_user(&source.user)
            .with_password(&source.password)
            .with_compression(Compression::None)
            .with_product_info("tapedeck", env!("CARGO_PKG_VERSION"));
        Self { client, source: source.clone() }
    }

    pub(super) fn database(&self) -> &str {
        &self.source.database
    }

    /// Fails with the remedy where there is nothing to audit.
    pub(super) async fn check_applied(&self) -> Result<(), AuditError> {
        let sql = "SELECT count() FROM system.tables WHERE database = {database:String} AND name = 'completeness'";
        let found = self.client.query_raw(sql).param("database", &self.source.database).fetch_one::<u64>().await;
        match found.map_err(|error| self.error(error))? {
            0 => Err(AuditError::NotApplied { database: self.source.database.clone() }),
            _ => Ok(()),
        }
    }

    /// The rows of a query about a day: `{from:UInt32}` and `{to:UInt32}` are its seconds.
    pub(super) async fn of_day<T: RowOwned + RowRead>(&self, sql: &str, day: Day) -> Result<Vec<T>, AuditError> {
        let query = self.client.query_raw(sql).param("from", day.from).param("to", day.to);
        let query = query.with_setting("do_not_merge_across_partitions_select_final", "1");
        // What does not fit into a third of the memory goes to the disk.
        let query = query.with_setting("max_bytes_ratio_before_external_group_by", "0.3");
        query.fetch_all().await.map_err(|error| self.error(error))
    }

    /// The rows of a query with parameters.
    pub(super) async fn rows<T: RowOwned + RowRead>(
        &self,
        sql: &str,
        parameters: &[(&str, String)],
    ) -> Result<Vec<T>, AuditError> {
        let mut query = self.client.query_raw(sql);
        for (name, value) in parameters {
            query = query.param(name, value);
        }
        query.fetch_all().await.map_err(|error| self.error(error))
    }

    /// Runs a statement about minutes, given as `{exchanges}`, `{markets}` and `{minutes}`, arrays of equal length.
    pub(super) async fn run_for(&self, sql: &str, minutes: &[(String, String, u32)]) -> Result<(), AuditError> {
        let exchanges: Vec<&str> = minutes.iter().map(|minute| minute.0.as_str()).collect();
        let markets: Vec<&str> = minutes.iter().map(|minute| minute.1.as_str()).collect();
        let seconds: Vec<u32> = minutes.iter().map(|minute| minute.2).collect();
        let query = self.client.query_raw(sql);
        let query = query.param("exchanges", exchanges).param("markets", markets).param("minutes", seconds);
        query.execute().await.map_err(|error| self.error(error))
    }

    fn error(&self, error: clickhouse::error::Error) -> AuditError {
        if let clickhouse::error::Error::BadResponse(message) = &error
            // UNKNOWN_TABLE, UNKNOWN_DATABASE
            && matches!(server_code(message), Some(60 | 81))
        {
            return AuditError::NotApplied { database: self.source.database.clone() };
        }
        AuditError::Server(SchemaError::of_client(&self.source.url, &self.source.user, error))
    }
}
