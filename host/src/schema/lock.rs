//! One applier at a time, on a server that has no Keeper.
//!
//! A query id can run only once on a server. The holder keeps a query with the database's id running: the server refuses
//! a second one, and ends the first when its connection closes, so that a lock never outlives its holder, however it ends.

use std::time::Duration;

use clickhouse::Row;
use serde::Deserialize;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep};

use super::error::{SchemaError, server_code};
use super::server::Server;

/// How long an applier waits for another to end.
const PATIENCE: Duration = Duration::from_secs(60);
/// Pause between two attempts.
const PAUSE: Duration = Duration::from_millis(250);
/// The server's code for "a query with that id is running".
const ALREADY_RUNNING: u32 = 216;

/// The right to change one database, given back when dropped.
pub(super) struct Lock<'a> {
    server: &'a Server,
    database: String,
    holder: String,
    holding: JoinHandle<Option<clickhouse::error::Error>>,
}

#[derive(Row, Deserialize)]
struct Running {
    holder: String,
    seconds: f64,
}

impl<'a> Lock<'a> {
    /// Takes the lock of a database, waiting up to a minute for whoever has it.
    pub(super) async fn take(server: &'a Server, database: &str, holder: &str) -> Result<Self, SchemaError> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let mut lock = Self::start(server, database, holder);
            match lock.settle().await? {
                None => return Ok(lock),
                Some(other) if Instant::now() >= deadline => {
                    return Err(SchemaError::Locked { database: database.to_owned(), holder: other });
                }
                Some(_) => sleep(PAUSE).await,
            }
        }
    }

    fn start(server: &'a Server, database: &str, holder: &str) -> Self {
        // Each row takes a quarter of a second. A row a block lets the server look at the connection as often.
        let query = server
            .client()
            .query_raw("SELECT number FROM system.numbers WHERE sleepEachRow(0.25) = 0")
            .with_setting("query_id", lock_id(database))
            .with_setting("log_comment", holder)
            .with_setting("max_block_size", "1")
            .with_setting("max_execution_time", "0")
            .with_setting("cancel_http_readonly_queries_on_client_close", "1");
        let holding = tokio::spawn(async move {
            let mut rows = match query.fetch::<u64>() {
                Ok(rows) => rows,
                Err(error) => return Some(error),
            };
            loop {
                match rows.next().await {
                    Ok(Some(_)) => {}
                    Ok(None) => return None,
                    Err(error) => return Some(error),
                }
            }
        });
        Self { server, database: database.to_owned(), holder: holder.to_owned(), holding }
    }

    /// Waits until the server runs our query (`None`) or has refused it (who holds the lock).
    async fn settle(&mut self) -> Result<Option<String>, SchemaError> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            if self.holding.is_finished() {
                let outcome = (&mut self.holding).await.ok().flatten();
                return match outcome {
                    Some(clickhouse::error::Error::BadResponse(message))
                        if server_code(&message) == Some(ALREADY_RUNNING) =>
                    {
                        Ok(Some(self.describe_holder().await?))
                    }
                    Some(error) => Err(self.server.error(error)),
                    None => Err(SchemaError::LockLost { database: self.database.clone() }),
                };
            }
            if self.is_ours().await? {
                return Ok(None);
            }
            if Instant::now() >= deadline {
                return Err(SchemaError::LockLost { database: self.database.clone() });
            }
            sleep(Duration::from_millis(20)).await;
        }
    }

    async fn is_ours(&self) -> Result<bool, SchemaError> {
        Ok(self.running().await?.is_some_and(|running| running.holder == self.holder))
    }

    async fn running(&self) -> Result<Option<Running>, SchemaError> {
        let sql = "SELECT Settings['log_comment'] AS holder, elapsed AS seconds FROM system.processes WHERE query_id = {id:String}";
        let rows = self.server.rows::<Running>(sql, &[("id", &lock_id(&self.database))]).await?;
        Ok(rows.into_iter().next())
    }

    async fn describe_holder(&self) -> Result<String, SchemaError> {
        Ok(match self.running().await? {
            Some(running) => format!("{}, for {:.0} s", running.holder, running.seconds),
            None => "it has just ended".to_owned(),
        })
    }

    /// Makes sure that the lock is still held.
    pub(super) async fn check(&self) -> Result<(), SchemaError> {
        if !self.holding.is_finished() && self.is_ours().await? {
            return Ok(());
        }
        Err(SchemaError::LockLost { database: self.database.clone() })
    }
}

impl Drop for Lock<'_> {
    fn drop(&mut self) {
        self.holding.abort();
    }
}

fn lock_id(database: &str) -> String {
    format!("tapedeck-sql-apply-{database}")
}
