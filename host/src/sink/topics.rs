//! The topics: which there must be, which there are, and making those that are missing.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::{Context as _, bail};
use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, TopicReplication};
use rdkafka::client::DefaultClientContext;
use rdkafka::consumer::{BaseConsumer, Consumer as _};
use rdkafka::error::RDKafkaErrorCode;

use super::client_config;
use crate::config::KafkaConfig;

/// The largest record: a dead letter holds a whole frame.
pub const LARGEST_RECORD_BYTES: u32 = 32 << 20;

/// How long Kafka may take for an answer.
const PATIENCE: Duration = Duration::from_secs(5);

/// A topic that the host writes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Topic {
    /// Full name.
    pub name: String,
    /// What it takes.
    pub kind: TopicKind,
}

/// What a topic takes, and so how it is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TopicKind {
    /// Trades, one a record.
    Trades,
    /// Frames that gave no trade: they may be large.
    DeadLetters,
    /// What became of gaps.
    Gaps,
    /// Positions of markets: one partition, of each key only the newest record is kept.
    Positions,
}

/// The topics of these exchanges, and the one of positions.
pub fn topics<'a>(config: &KafkaConfig, exchanges: impl IntoIterator<Item = &'a str>) -> Vec<Topic> {
    let each = |exchange| {
        [
            Topic { name: config.topic(exchange), kind: TopicKind::Trades },
            Topic { name: config.dead_letter_topic(exchange), kind: TopicKind::DeadLetters },
            Topic { name: config.gap_topic(exchange), kind: TopicKind::Gaps },
        ]
    };
    let positions = Topic { name: config.positions_topic(), kind: TopicKind::Positions };
    exchanges.into_iter().flat_map(each).chain([positions]).collect()
}

/// The topics of these that Kafka has not got. Blocks for up to five seconds.
///
/// # Errors
/// Kafka cannot be reached.
pub fn missing(config: &KafkaConfig, wanted: Vec<Topic>) -> anyhow::Result<Vec<Topic>> {
    let client: BaseConsumer = client_config(config).create().context("[kafka] is not usable")?;
    let metadata = client.fetch_metadata(None, PATIENCE).with_context(|| unreachable(config))?;
    let there: BTreeMap<&str, usize> =
        metadata.topics().iter().map(|topic| (topic.name(), topic.partitions().len())).collect();
    Ok(wanted.into_iter().filter(|topic| there.get(topic.name.as_str()).is_none_or(|count| *count == 0)).collect())
}

/// Makes the topics of these that are missing; returns them.
///
/// # Errors
/// Kafka cannot be reached, or refuses to make one.
pub async fn ensure(config: &KafkaConfig, wanted: Vec<Topic>) -> anyhow::Result<Vec<Topic>> {
    let asked = config.clone();
    let missing = tokio::task::spawn_blocking(move || missing(&asked, wanted)).await??;
    if missing.is_empty() {
        return Ok(missing);
    }
    let admin: AdminClient<DefaultClientContext> = client_config(config).create().context("[kafka] is not usable")?;
    let largest = LARGEST_RECORD_BYTES.to_string();
    let new: Vec<_> = missing.iter().map(|topic| new_topic(config, topic, &largest)).collect();
    let options = AdminOptions::new().operation_timeout(Some(PATIENCE)).request_timeout(Some(PATIENCE));
    for result in admin.create_topics(&new, &options).await.with_context(|| unreachable(config))? {
        match result {
            // Another host was faster.
            Ok(_) | Err((_, RDKafkaErrorCode::TopicAlreadyExists)) => {}
            Err((topic, error)) => bail!(
                "Kafka at {} does not make topic {topic}: {error}; make it by hand with {} partitions, or allow this \
                 client to create topics",
                config.brokers,
                config.partitions
            ),
        }
    }
    Ok(missing)
}

fn new_topic<'a>(config: &KafkaConfig, topic: &'a Topic, largest: &'a str) -> NewTopic<'a> {
    let partitions = match topic.kind {
        TopicKind::Trades | TopicKind::DeadLetters => i32::try_from(config.partitions).unwrap_or(i32::MAX),
        TopicKind::Gaps | TopicKind::Positions => 1,
    };
    let replication = i32::try_from(config.replication).unwrap_or(i32::MAX);
    let new = NewTopic::new(&topic.name, partitions, TopicReplication::Fixed(replication));
    match topic.kind {
        TopicKind::Trades | TopicKind::Gaps => new,
        TopicKind::DeadLetters => new.set("max.message.bytes", largest),
        // Small segments, since the newest is never compacted, and a host reads everything at its start.
        TopicKind::Positions => new.set("cleanup.policy", "compact").set("segment.bytes", "16777216"),
    }
}

fn unreachable(config: &KafkaConfig) -> String {
    format!("Kafka cannot be reached at {} ([kafka] brokers): is it running, and is the address right?", config.brokers)
}
