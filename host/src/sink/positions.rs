//! Positions of markets: what a host that starts again goes on from.
//!
//! They are records of a compacted topic. One is written only when Kafka has every trade that it counts as delivered.

use std::collections::{BTreeSet, HashMap};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use rdkafka::client::ClientContext;
use rdkafka::consumer::{BaseConsumer, Consumer as _, ConsumerContext, DefaultConsumerContext};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::{Header, Message as _, OwnedHeaders};
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};

use super::client_config;
use super::record::SCHEMA_VERSION;
use crate::config::KafkaConfig;

/// Keys that begin so are no markets': they say whose a transactional id is.
pub(super) const MARKER: &str = "#transactions:";

/// How long Kafka may say nothing while positions are read.
const PATIENCE: Duration = Duration::from_secs(10);

/// A market's position.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CheckpointRecord {
    /// `exchange:canonical_symbol`.
    pub key: Vec<u8>,
    /// Whatever its market needs to go on; never empty.
    pub payload: Vec<u8>,
}

/// Knows the positions.
pub trait CheckpointSource: Send + Sync + 'static {
    /// The positions that changed since the last call. They count what [`Sink::send`](super::Sink::send) has called
    /// accepted, and nothing else. What is returned will be written, unless the host dies before.
    fn changed(&self) -> Vec<CheckpointRecord>;
}

/// The headers of a position.
pub(super) fn headers() -> OwnedHeaders {
    OwnedHeaders::new_with_capacity(1)
        .insert(Header { key: "schema-version", value: Some(&SCHEMA_VERSION.to_string()) })
}

/// The newest position of every key, of committed transactions only.
///
/// # Errors
/// Kafka cannot be reached or says nothing for ten seconds; there is no topic.
pub async fn read(config: &KafkaConfig) -> anyhow::Result<HashMap<Vec<u8>, Vec<u8>>> {
    let config = config.clone();
    let mut all = tokio::task::spawn_blocking(move || read_all(&config)).await??;
    all.retain(|key, _| !key.starts_with(MARKER.as_bytes()));
    Ok(all)
}

/// The newest record of every key, those that are no markets' included. Blocks.
pub(super) fn read_all(config: &KafkaConfig) -> anyhow::Result<HashMap<Vec<u8>, Vec<u8>>> {
    let topic = config.positions_topic();
    let mut client = client_config(config);
    client
        .set("group.id", "tapedeck")
        .set("enable.auto.commit", "false")
        .set("enable.partition.eof", "true")
        // Kafka waits for more at the end of what there is, and only then says that it is the end.
        .set("fetch.wait.max.ms", "10")
        .set("isolation.level", "read_committed");
    let consumer: BaseConsumer<Reading> = client.create_with_context(Reading).context("[kafka] is not usable")?;
    let metadata = consumer
        .fetch_metadata(Some(&topic), PATIENCE)
        .with_context(|| format!("Kafka at {} does not say what topic {topic} is made of", config.brokers))?;
    let mut partitions = TopicPartitionList::new();
    for partition in metadata.topics().iter().flat_map(|topic| topic.partitions()) {
        partitions.add_partition_offset(&topic, partition.id(), Offset::Beginning)?;
    }
    if partitions.count() == 0 {
        bail!("Kafka at {} has no topic {topic}; make it with `tapedeck topics apply`", config.brokers);
    }
    consumer.assign(&partitions)?;
    let positions = collect(&consumer, partitions.count());
    // The client takes a tenth of a second to close, and nothing waits for that.
    thread::spawn(move || drop(consumer));
    positions.with_context(|| format!("the positions in topic {topic} of Kafka at {} cannot be read", config.brokers))
}

/// Reports errors as any client does, but for the end of a partition, which is what reading waits for.
struct Reading;

impl ClientContext for Reading {
    fn error(&self, error: KafkaError, reason: &str) {
        if error != KafkaError::Global(RDKafkaErrorCode::PartitionEOF) {
            DefaultConsumerContext.error(error, reason);
        }
    }
}

impl ConsumerContext for Reading {}

/// Reads until each of so many partitions has come to its end.
fn collect(consumer: &BaseConsumer<Reading>, partitions: usize) -> anyhow::Result<HashMap<Vec<u8>, Vec<u8>>> {
    let mut positions = HashMap::new();
    let mut ended = BTreeSet::new();
    let mut heard = Instant::now();
    while ended.len() < partitions {
        match consumer.poll(Duration::from_millis(100)) {
            Some(Ok(message)) => {
                let key = message.key().unwrap_or_default().to_vec();
                match message.payload() {
                    Some(payload) if !payload.is_empty() => _ = positions.insert(key, payload.to_vec()),
                    _ => _ = positions.remove(&key),
                }
            }
            Some(Err(KafkaError::PartitionEOF(partition))) => _ = ended.insert(partition),
            // The client tries again by itself.
            Some(Err(error)) if heard.elapsed() > PATIENCE => return Err(error.into()),
            None if heard.elapsed() > PATIENCE => bail!("Kafka said nothing for {} s", PATIENCE.as_secs()),
            _ => continue,
        }
        heard = Instant::now();
    }
    Ok(positions)
}
