//! One test's way through the shared servers: a configuration, a topic prefix and a database of its own.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use tempfile::TempDir;
use xtask::stack::{Client, Stack};

use crate::command::{Output, tapedeck};
use crate::exchange::Exchange;
use crate::host::Host;
use crate::kafka::Topic;
use crate::programs;

/// A configuration under construction, and what runs by it.
#[derive(Debug)]
pub struct Pipeline {
    /// The database's name.
    pub database: String,
    /// A client for the ClickHouse that the configuration names.
    pub client: Client,
    kafka: String,
    clickhouse_url: String,
    prefix: String,
    plugins: PathBuf,
    cache: PathBuf,
    listen: String,
    sections: BTreeMap<&'static str, String>,
    feeds: String,
    folder: TempDir,
}

impl Pipeline {
    /// A pipeline on these servers; `name` is the test's, and unique among the tests.
    ///
    /// # Errors
    /// Plugins do not compile, or there is no free port.
    pub fn new(name: &str, stack: &Stack) -> Result<Self> {
        Ok(Self {
            database: format!("t_{name}"),
            client: stack.clickhouse().client(),
            kafka: stack.kafka.clone(),
            clickhouse_url: stack.clickhouse_http.clone(),
            prefix: format!("t.{name}"),
            plugins: programs::plugins()?.to_path_buf(),
            cache: programs::cache()?,
            listen: format!("127.0.0.1:{}", xtask::stack::ports::free()?),
            sections: BTreeMap::new(),
            feeds: String::new(),
            folder: tempfile::tempdir()?,
        })
    }

    /// Takes plugins from another folder.
    #[must_use]
    pub fn with_plugins(mut self, folder: &Path) -> Self {
        self.plugins = folder.to_path_buf();
        self
    }

    /// Keeps compiled plugins in another folder.
    #[must_use]
    pub fn with_cache(mut self, folder: &Path) -> Self {
        self.cache = folder.to_path_buf();
        self
    }

    /// Adds a line to a section of the configuration.
    #[must_use]
    pub fn with(mut self, section: &'static str, line: &str) -> Self {
        let lines = self.sections.entry(section).or_default();
        lines.push_str(line);
        lines.push('\n');
        self
    }

    /// Adds a feed of these markets from an address.
    #[must_use]
    pub fn with_feed(mut self, plugin: &str, markets: &[&str], websocket: &str, rest: &str) -> Self {
        let _ = write!(
            self.feeds,
            "[[feed]]\nplugin = {plugin:?}\nmarkets = {markets:?}\nendpoint = {websocket:?}\nrest_endpoint = {rest:?}\n\
             allow_plain = true\n\n"
        );
        self
    }

    /// Adds a line to the feed that was added last.
    #[must_use]
    pub fn with_feed_line(mut self, line: &str) -> Self {
        self.feeds.truncate(self.feeds.trim_end().len());
        let _ = write!(self.feeds, "\n{line}\n\n");
        self
    }

    /// Adds a feed under an exchange's name of its own, that nothing will be read from.
    #[must_use]
    pub fn with_feed_named(mut self, exchange: &str, plugin: &str, markets: &[&str]) -> Self {
        let _ = write!(self.feeds, "[[feed]]\nexchange = {exchange:?}\nplugin = {plugin:?}\nmarkets = {markets:?}\n\n");
        self
    }

    /// Names a ClickHouse that is not there.
    #[must_use]
    pub fn without_clickhouse(mut self) -> Self {
        // Port 1 is never in use: it takes the right to open it, and nothing that would be here does.
        "http://127.0.0.1:1".clone_into(&mut self.clickhouse_url);
        self
    }

    /// Adds a feed of these markets from a simulated exchange.
    #[must_use]
    pub fn with_exchange(self, plugin: &str, markets: &[&str], exchange: &Exchange) -> Self {
        self.with_feed(plugin, markets, &exchange.websocket(), &exchange.rest())
    }

    /// The configuration's text.
    ///
    /// # Errors
    /// This program's own path is unknown.
    pub fn text(&self) -> Result<String> {
        let own = BTreeMap::from([
            ("plugins", format!("folder = {:?}\ncache = {:?}\n", self.plugins, self.cache)),
            ("kafka", format!("brokers = {:?}\ntopic_prefix = {:?}\n", self.kafka, self.prefix)),
            ("clickhouse", format!("url = {:?}\ndatabase = {:?}\n", self.clickhouse_url, self.database)),
            ("http", format!("listen = {:?}\n", self.listen)),
            ("reconnect", "base_ms = 50\ncap_ms = 500\n".to_owned()),
            ("limits", String::new()),
            ("capture", String::new()),
            ("log", String::new()),
            ("spool", String::new()),
        ]);
        let known: Vec<&str> = own.keys().copied().collect();
        let mut text = "version = 1\n\n".to_owned();
        for (name, lines) in own {
            let more = self.sections.get(name).map_or("", String::as_str);
            let _ = write!(text, "[{name}]\n{lines}{more}\n");
        }
        for (name, lines) in self.sections.iter().filter(|(name, _)| !known.contains(name)) {
            let _ = write!(text, "[{name}]\n{lines}\n");
        }
        text.push_str(&self.feeds);
        Ok(text)
    }

    /// Writes the configuration to its file.
    ///
    /// # Errors
    /// The disk is full.
    pub fn config(&self) -> Result<PathBuf> {
        let file = self.folder.path().join("tapedeck.toml");
        std::fs::write(&file, self.text()?)?;
        Ok(file)
    }

    /// Runs a command of the binary with `--config`.
    ///
    /// # Errors
    /// It cannot be started.
    pub fn command(&self, arguments: &[&str]) -> Result<Output> {
        let config = self.config()?;
        let config = config.to_str().context("the folder for temporary files is not UTF-8")?;
        tapedeck(arguments.iter().chain(&["--config", config]))
    }

    /// Makes the database.
    ///
    /// # Errors
    /// `tapedeck sql apply` fails; with its words.
    pub fn apply_sql(&self) -> Result<()> {
        self.command(&["sql", "apply"])?.success().context("tapedeck sql apply").map(drop)
    }

    /// Starts the host.
    ///
    /// # Errors
    /// It cannot be started.
    pub fn start_host(&self) -> Result<Host> {
        Host::start(&self.config()?, &self.folder.path().join("host.log"), &self.listen)
    }

    /// The topic of an exchange's trades.
    pub fn trades(&self, exchange: &str) -> Topic {
        Topic::new(&self.kafka, &format!("{}.{exchange}", self.prefix))
    }

    /// The topic of an exchange's gaps.
    pub fn gaps(&self, exchange: &str) -> Topic {
        Topic::new(&self.kafka, &format!("{}.{exchange}.gaps", self.prefix))
    }

    /// The topic of an exchange's dead letters.
    pub fn dead_letters(&self, exchange: &str) -> Topic {
        Topic::new(&self.kafka, &format!("{}.{exchange}.dead-letters", self.prefix))
    }
}

impl Drop for Pipeline {
    fn drop(&mut self) {
        // Its refreshes would go on for as long as the server runs. Where the server is gone, so are they.
        let _ = self.client.query(&format!("DROP DATABASE IF EXISTS {} SYNC", self.database));
    }
}
