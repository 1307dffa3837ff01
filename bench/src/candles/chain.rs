//! A chain of tables that records flow through: made, but not reading yet.

use anyhow::{Result, ensure};
use tapedeck_tests::pipeline::Pipeline;
use xtask::stack::Client;

use super::records::Backlog;

/// A chain, in a database of its own, which goes with it.
pub(super) struct Chain {
    pub(super) client: Client,
    pub(super) database: String,
    /// The statement that makes it read.
    pub(super) open: String,
    /// Asks how many trades are at the chain's end.
    pub(super) arrived: String,
    /// Asks how many trades are at the far end of what follows by itself a little later.
    pub(super) followed: String,
    /// Asks how many trades are at the chain's end, and for the sum of their quantities: what the backlog says.
    pub(super) sums: String,
    /// Ask how many rows are not as they should be.
    pub(super) faults: Vec<String>,
    /// The tables that trades are kept in: their names, and what the figure of their size is called.
    pub(super) tables: Vec<(String, &'static str)>,
    /// Where the product made it: goes with it.
    pub(super) _pipeline: Option<Pipeline>,
}

impl Chain {
    /// Makes a database and everything in it, in order.
    pub(super) fn create(client: &Client, database: &str, statements: &[String]) -> Result<()> {
        client.query(&format!("CREATE DATABASE {database}"))?;
        statements.iter().try_for_each(|statement| client.query(statement).map(drop))
    }

    /// Begins to read.
    pub(super) fn open(&self) -> Result<()> {
        self.client.query(&self.open).map(drop)
    }

    /// How many trades have come to the end.
    pub(super) fn arrived(&self) -> Result<u64> {
        self.client.count(&self.arrived)
    }

    /// Whether nothing is left to do: everything has followed, and no part of a table is being merged.
    pub(super) fn is_calm(&self, backlog: &Backlog) -> Result<bool> {
        let merges = format!("SELECT count() FROM system.merges WHERE database = '{}'", self.database);
        Ok(self.client.count(&merges)? == 0 && self.client.count(&self.followed)? == backlog.trades)
    }

    /// Checks that all of the backlog came out, each trade once.
    pub(super) fn check(&self, backlog: &Backlog) -> Result<()> {
        let (found, wanted) = (self.client.query(&self.sums)?, format!("{}\t{}", backlog.trades, backlog.volume));
        ensure!(found.trim() == wanted, "count and sum of quantities are {}, not {wanted}", found.trim());
        for fault in &self.faults {
            let faults = self.client.count(fault)?;
            ensure!(faults == 0, "{faults} rows are wrong: {fault}");
        }
        Ok(())
    }

    /// Bytes on disk for each trade, of one table or of all.
    pub(super) fn bytes_each(&self, table: Option<&str>, trades: u64) -> Result<f64> {
        let of_table = table.map(|table| format!("AND table = '{table}'")).unwrap_or_default();
        let sql = format!(
            "SELECT sum(bytes_on_disk) FROM system.parts WHERE active AND database = '{}' {of_table}",
            self.database
        );
        Ok(self.client.count(&sql)? as f64 / trades as f64)
    }
}

impl Drop for Chain {
    fn drop(&mut self) {
        // What cannot be dropped goes with the server, and costs the next run a little.
        let _ = self.client.query(&format!("DROP DATABASE IF EXISTS {} SYNC", self.database));
    }
}
