//! `[kafka]`: where trades go.

use std::collections::BTreeMap;
use std::time::Duration;

use super::Secret;

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
    /// How long a record may wait for others to share a request with. Default 5 ms.
    pub linger: Duration,
    /// Records that may wait for Kafka. When the queue is full, sessions stop reading. Default 100,000.
    pub queue_messages: u32,
    /// Bytes that may wait for Kafka. Default 64 MiB.
    pub queue_bytes: u64,
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
