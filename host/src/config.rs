//! What the user configures: a TOML file in, a [`Config`] that the rest of the host can trust out.
//!
//! `document` reads the text with the place of every value, `section` takes keys out of it and collects everything
//! that is wrong, one file a section says which keys there are. Nothing of the file is used before all of it is valid.

use std::path::Path;

use toml::de::{DeTable, DeValue};

mod document;
mod section;
use document::Document;
use section::{Found, Section};

mod address;
mod market;
mod nearest;
pub use market::check_market_name;
pub use nearest::{did_you_mean, listed, nearest};

pub mod problem;
pub use problem::{ConfigErrors, Place, Problem};

pub mod secret;
pub use secret::Secret;

mod backfill;
mod capture;
mod clickhouse;
mod feed;
mod kafka;
mod runtime;
mod spool;

pub use backfill::BackfillConfig;
pub use capture::CaptureConfig;
pub use clickhouse::ClickHouseConfig;
pub(crate) use feed::overlaps;
pub use feed::{FeedConfig, FeedPlaces, MarketConfig};
pub use kafka::{Compression, Delivery, KafkaConfig};
pub use runtime::{HttpConfig, LimitsConfig, LogConfig, LogFormat, PluginsConfig, ReconnectConfig, check_log_level};
pub use spool::SpoolConfig;

/// A valid configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// Where plugins are and what each may use: `[plugins]`.
    pub plugins: PluginsConfig,
    /// Where trades go: `[kafka]`.
    pub kafka: KafkaConfig,
    /// Where records wait while Kafka is away: `[spool]`. Without, they wait in memory only.
    pub spool: Option<SpoolConfig>,
    /// Where candles are made: `[clickhouse]`. `tapedeck run` does without.
    pub clickhouse: Option<ClickHouseConfig>,
    /// Where raw frames are kept: `[capture]`. None keeps none.
    pub capture: Option<CaptureConfig>,
    /// Metrics and health: `[http]`.
    pub http: HttpConfig,
    /// Log lines: `[log]`.
    pub log: LogConfig,
    /// Bounds: `[limits]`.
    pub limits: LimitsConfig,
    /// Pauses between connection attempts: `[reconnect]`.
    pub reconnect: ReconnectConfig,
    /// Asking for trades that were missed: `[backfill]`.
    pub backfill: BackfillConfig,
    /// What to subscribe to, at least one: `[[feed]]`.
    pub feeds: Vec<FeedConfig>,
}

impl Config {
    /// Reads and validates a file.
    ///
    /// # Errors
    /// Everything that is wrong with it, in the order of its lines.
    pub fn load(file: &Path) -> Result<Self, ConfigErrors> {
        let text = std::fs::read_to_string(file).map_err(|error| ConfigErrors::unreadable(file, &error))?;
        // Some editors open a file with a byte order mark.
        let text = text.strip_prefix('\u{feff}').map(str::to_owned).unwrap_or(text);
        Self::parse(&text, file)
    }

    /// Validates the text of a file; `file` is its name in messages.
    ///
    /// # Errors
    /// Everything that is wrong with it, in the order of its lines.
    pub fn parse(text: &str, file: &Path) -> Result<Self, ConfigErrors> {
        let (document, table) = Document::read(text, file)?;
        let config = Self::read(&document, table.get_ref());
        match (config, document.into_problems()) {
            (Some(config), None) => Ok(config),
            (_, errors) => Err(errors.unwrap_or_default()),
        }
    }

    /// Reads all sections. What is wrong is replaced by its default, reported, and so never used.
    fn read<'d, 't>(document: &'d Document<'t>, table: &'d DeTable<'t>) -> Option<Self> {
        let mut top = Section::of(document, String::new(), "", document.whole(), Some(table));
        read_version(&mut top)?;
        let kafka = KafkaConfig::read(top.section("kafka"));
        let feeds = top.sections("feed").into_iter().enumerate();
        let config = Self {
            plugins: PluginsConfig::read(top.section("plugins")),
            clickhouse: ClickHouseConfig::read(top.section("clickhouse"), &kafka),
            spool: SpoolConfig::read(top.section("spool"), &kafka),
            kafka,
            capture: CaptureConfig::read(top.section("capture")),
            http: HttpConfig::read(top.section("http")),
            log: LogConfig::read(top.section("log")),
            limits: LimitsConfig::read(top.section("limits")),
            reconnect: ReconnectConfig::read(top.section("reconnect")),
            backfill: BackfillConfig::read(top.section("backfill")),
            feeds: feeds.map(|(index, section)| FeedConfig::read(section, index + 1)).collect(),
        };
        if top.any("feed").is_none_or(|found| found.value.as_array().is_some_and(|feeds| feeds.is_empty())) {
            let message = "there is nothing to subscribe to; add a section [[feed]] with a plugin and its markets";
            top.report(&top.place, "feed", message);
        }
        feed::report_overlaps(document, &config.feeds);
        top.finish();
        Some(config)
    }
}

/// The version of the file's format; none if it is another one, as nothing else of the file can be judged then.
fn read_version(top: &mut Section<'_, '_>) -> Option<()> {
    match top.any("version") {
        None => top.report(&top.place, "version", "is missing; write version = 1 on the first line"),
        Some(Found { value: DeValue::Integer(number), .. }) if number.to_string() == "1" => {}
        Some(Found { value: DeValue::Integer(number), place }) => {
            let host = env!("CARGO_PKG_VERSION");
            let message = format!("{number} is not known to tapedeck {host}, which reads version = 1");
            top.report(&place, "version", &message);
            return None;
        }
        Some(found) => top.mistyped(&found.place, "version", "a whole number", "1", found.value),
    }
    Some(())
}

#[cfg(test)]
mod tests;
