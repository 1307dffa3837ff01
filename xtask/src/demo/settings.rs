//! The demo's configuration: config/demo.toml with the addresses of the parts that were started.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use toml::{Table, Value};

use super::exchange::Exchange;
use super::market::Feed;
use crate::home::{home, repository};
use crate::stack::{Stack, ports};

/// The configuration, and what the demo itself needs to know of it.
#[derive(Debug)]
pub(crate) struct Settings {
    table: Table,
    /// ClickHouse's database.
    pub(crate) database: String,
    /// Where the host answers /ready.
    pub(crate) http: String,
}

impl Settings {
    /// Reads config/demo.toml.
    pub(crate) fn load() -> Result<Self> {
        let path = repository().join("config/demo.toml");
        let text = std::fs::read_to_string(&path).with_context(|| format!("{} cannot be read", path.display()))?;
        let table: Table = toml::from_str(&text).with_context(|| format!("{} is not valid", path.display()))?;
        let database = table.get("clickhouse").and_then(|section| section.get("database")).and_then(Value::as_str);
        let database = database.unwrap_or("tapedeck").to_owned();
        Ok(Self { table, database, http: format!("127.0.0.1:{}", ports::free()?) })
    }

    /// The feeds, each to be simulated.
    pub(crate) fn feeds(&self) -> Result<Vec<Feed>> {
        let feeds = self.table.get("feed").and_then(Value::as_array).context("config/demo.toml has no [[feed]]")?;
        feeds
            .iter()
            .map(|feed| Feed::read(feed.as_table().context("a feed of config/demo.toml is no table")?))
            .collect()
    }

    /// Replaces the addresses and folders by those of the started parts.
    pub(crate) fn fill(&mut self, stack: &Stack, plugin_folder: &Path, exchanges: &[Exchange]) -> Result<()> {
        let http = self.http.clone();
        self.set("plugins", "folder", &plugin_folder.display().to_string())?;
        self.set("plugins", "cache", &home().join("cache").display().to_string())?;
        self.set("kafka", "brokers", &stack.kafka)?;
        self.set("clickhouse", "url", &stack.clickhouse_http)?;
        self.set("http", "listen", &http)?;
        let feeds =
            self.table.get_mut("feed").and_then(Value::as_array_mut).context("config/demo.toml has no [[feed]]")?;
        for (feed, exchange) in feeds.iter_mut().zip(exchanges) {
            let feed = feed.as_table_mut().context("a feed of config/demo.toml is no table")?;
            feed.insert("endpoint".to_owned(), exchange.socket.clone().into());
            feed.insert("rest_endpoint".to_owned(), exchange.rest.clone().into());
            feed.insert("allow_plain".to_owned(), true.into());
        }
        Ok(())
    }

    /// Writes it into the folder and gives the file's path.
    pub(crate) fn write(&self, folder: &Path) -> Result<PathBuf> {
        let path = folder.join("demo.toml");
        std::fs::write(&path, toml::to_string(&self.table)?)
            .with_context(|| format!("{} cannot be written; is the disk full?", path.display()))?;
        Ok(path)
    }

    fn set(&mut self, section: &str, key: &str, value: &str) -> Result<()> {
        let entry = self.table.entry(section.to_owned()).or_insert_with(|| Value::Table(Table::new()));
        let table = entry.as_table_mut().with_context(|| format!("[{section}] of config/demo.toml is no table"))?;
        table.insert(key.to_owned(), value.to_owned().into());
        Ok(())
    }
}
