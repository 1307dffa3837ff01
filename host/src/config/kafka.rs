//! `[kafka]`: where trades go.

use std::collections::BTreeMap;
use std::time::Duration;

use super::Secret;
use super::address::brokers;
use super::section::Section;

mod properties;

/// `[kafka]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KafkaConfig {
    /// Brokers to begin with, `host:port` and commas between them. Default `"127.0.0.1:9092"`.
    pub brokers: String,
    /// Topics are `<topic_prefix>.<exchange>` and `<topic_prefix>.<exchange>.dead-letters`. Default
    /// `"market.crypto.trades"`.
    pub topic_prefix: String,
    /// Partitions of topics that are made, 1 to 10,000. Default 4.
    pub partitions: u32,
    /// Replicas of topics that are made, 1 to 100. Default 1.
    pub replication: u32,
    /// How batches of records are compressed. Default `"lz4"`.
    pub compression: Compression,
    /// Whether records of trades and gaps carry headers. All that they say is in the value too. Default no.
    pub headers: bool,
    /// How long a record may wait for others to share a request with. Default 5 ms.
    pub linger: Duration,
    /// Records that may wait for Kafka. When the queue is full, sessions stop reading. Default 100,000.
    pub queue_messages: u32,
    /// Bytes that may wait for Kafka. Default 64 MiB.
    pub queue_bytes: u64,
    /// What a reader of Kafka may rely on. Default at least once.
    pub delivery: Delivery,
    /// Which host this is, exactly once: of those with the same id only the last to start goes on. Default
    /// `<topic_prefix>.host`.
    pub transactional_id: String,
    /// How often a transaction is committed, exactly once. Default 100 ms.
    pub commit: Duration,
    /// What else librdkafka is told, for example how to log in. All values count as secrets.
    pub properties: BTreeMap<String, Secret>,
}

impl KafkaConfig {
    /// The topic of an exchange's trades.
    pub fn topic(&self, exchange: &str) -> String {
        format!("{}.{exchange}", self.topic_prefix)
    }

    /// The topic of an exchange's frames that gave no trade because they could not be decoded.
    pub fn dead_letter_topic(&self, exchange: &str) -> String {
        format!("{}.{exchange}.dead-letters", self.topic_prefix)
    }

    /// Full name of an exchange's topic of gaps.
    pub fn gap_topic(&self, exchange: &str) -> String {
        format!("{}.{exchange}.gaps", self.topic_prefix)
    }

    /// The compacted topic of the markets' positions, which a host that starts again goes on from.
    pub fn positions_topic(&self) -> String {
        format!("{}.positions", self.topic_prefix)
    }
}

/// What a reader of Kafka may rely on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Delivery {
    /// Every trade is there; after a crash of the host some may be there twice.
    AtLeastOnce,
    /// Every trade is there once for who reads committed records only.
    ExactlyOnce,
}

/// How batches of records are compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Compression {
    /// Fast.
    Lz4,
    /// Small.
    Zstd,
    /// Not at all.
    None,
}

impl Compression {
    /// As librdkafka and the configuration spell it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Lz4 => "lz4",
            Self::Zstd => "zstd",
            Self::None => "none",
        }
    }
}

impl KafkaConfig {
    pub(super) fn read(mut section: Section<'_, '_>) -> Self {
        let codecs = [("lz4", Compression::Lz4), ("zstd", Compression::Zstd), ("none", Compression::None)];
        let deliveries = [("at-least-once", Delivery::AtLeastOnce), ("exactly-once", Delivery::ExactlyOnce)];
        let topic_prefix = read_topic_prefix(&mut section).unwrap_or_else(|| "market.crypto.trades".to_owned());
        let transactional_id = section.text("transactional_id", "\"tapedeck-1\"").map(|found| found.value.to_owned());
        let config = Self {
            brokers: read_brokers(&mut section).unwrap_or_else(|| "127.0.0.1:9092".to_owned()),
            delivery: section.choice("delivery", &deliveries).unwrap_or(Delivery::AtLeastOnce),
            transactional_id: transactional_id.unwrap_or_else(|| format!("{topic_prefix}.host")),
            topic_prefix,
            commit: Duration::from_millis(section.number("commit_ms", 100, 5..=10_000).into()),
            partitions: section.number("partitions", 4, 1..=10_000),
            replication: section.number("replication", 1, 1..=100),
            compression: section.choice("compression", &codecs).unwrap_or(Compression::Lz4),
            headers: section.flag("headers"),
            linger: Duration::from_millis(section.number("linger_ms", 5, 0..=10_000).into()),
            queue_messages: section.number("queue_messages", 100_000, 1_000..=10_000_000),
            queue_bytes: u64::from(section.number("queue_mb", 64, 1..=2_000)) << 20,
            properties: properties::read(section.section("properties")),
        };
        section.finish();
        config
    }
}

fn read_brokers(section: &mut Section<'_, '_>) -> Option<String> {
    let found = section.text("brokers", "\"127.0.0.1:9092\"")?;
    brokers(found.value).map_err(|message| section.report(&found.place, "brokers", &message)).ok()
}

fn read_topic_prefix(section: &mut Section<'_, '_>) -> Option<String> {
    let found = section.text("topic_prefix", "\"market.crypto.trades\"")?;
    let prefix = found.value;
    let allowed = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '.' | '_' | '-');
    // Kafka allows 249 characters; an exchange's name of at most 64 and `.dead-letters` are still to come.
    let good = prefix.len() <= 150 && prefix.chars().all(allowed);
    if !good {
        let message = format!(
            "\"{}\" cannot begin a topic's name; Kafka allows letters, digits, `.`, `_` and `-`, and at most 150 here",
            prefix.escape_debug()
        );
        section.report(&found.place, "topic_prefix", &message);
    }
    good.then(|| prefix.to_owned())
}
