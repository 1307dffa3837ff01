//! What Kafka itself says of a partition. The client blocks, so that it works on threads of its own.

use std::time::{Duration, Instant};

use rdkafka::consumer::{BaseConsumer, Consumer as _};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::{Message as _, Offset, TopicPartitionList};

use super::super::warehouse::AuditError;
use super::offsets::{Range, joined};
use crate::config::KafkaConfig;
use crate::sink::client_config;

/// How long Kafka may take for an answer.
const PATIENCE: Duration = Duration::from_secs(10);

/// A partition, and how far ClickHouse has taken it over.
#[derive(Clone, Copy, Debug)]
pub(super) struct Partition {
    pub(super) number: i32,
    /// The earliest offset that Kafka still has.
    pub(super) low: u64,
    /// The first offset that ClickHouse has not taken over.
    pub(super) committed: u64,
}

/// The partitions of a topic of which a consumer group has taken over anything; none where there is no such topic.
pub(super) async fn partitions(config: &KafkaConfig, topic: &str, group: &str) -> Result<Vec<Partition>, AuditError> {
    let (config, topic, group) = (config.clone(), topic.to_owned(), group.to_owned());
    blocking(move || {
        let found = ask_partitions(&config, &topic, &group);
        found.map_err(|source| AuditError::Kafka { brokers: config.brokers.clone(), topic, source: source.into() })
    })
    .await
}

/// The offsets of these ranges at which Kafka has a record for readers.
pub(super) async fn records_in(
    config: &KafkaConfig,
    topic: &str,
    partition: &Partition,
    ranges: Vec<Range>,
) -> Result<Vec<Range>, AuditError> {
    if ranges.is_empty() {
        return Ok(ranges);
    }
    let (config, topic, number) = (config.clone(), topic.to_owned(), partition.number);
    blocking(move || {
        let found = read(&config, &topic, number, &ranges);
        found.map_err(|source| AuditError::Kafka { brokers: config.brokers.clone(), topic, source: source.into() })
    })
    .await
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, AuditError> + Send + 'static,
) -> Result<T, AuditError> {
    tokio::task::spawn_blocking(work).await.map_err(|error| AuditError::CutShort(error.to_string()))?
}

fn consumer(config: &KafkaConfig, group: &str) -> Result<BaseConsumer, KafkaError> {
    client_config(config)
        .set("group.id", group)
        .set("enable.auto.commit", "false")
        .set("enable.partition.eof", "true")
        .set("isolation.level", "read_committed")
        .create()
}

fn ask_partitions(config: &KafkaConfig, topic: &str, group: &str) -> Result<Vec<Partition>, KafkaError> {
    // It joins no group: it only asks what the group has committed.
    let consumer = consumer(config, group)?;
    let metadata = consumer.fetch_metadata(None, PATIENCE)?;
    let Some(found) = metadata.topics().iter().find(|found| found.name() == topic) else { return Ok(Vec::new()) };
    let mut list = TopicPartitionList::new();
    for partition in found.partitions() {
        list.add_partition(topic, partition.id());
    }
    let mut partitions = Vec::new();
    for element in consumer.committed_offsets(list, PATIENCE)?.elements() {
        let Offset::Offset(committed) = element.offset() else { continue };
        let (low, _) = consumer.fetch_watermarks(topic, element.partition(), PATIENCE)?;
        let (low, committed) = (low.max(0).unsigned_abs(), committed.max(0).unsigned_abs());
        partitions.push(Partition { number: element.partition(), low, committed });
    }
    Ok(partitions)
}

fn read(config: &KafkaConfig, topic: &str, partition: i32, ranges: &[Range]) -> Result<Vec<Range>, KafkaError> {
    let consumer = consumer(config, "tapedeck-audit")?;
    let mut found = Vec::new();
    for range in ranges {
        let mut list = TopicPartitionList::new();
        list.add_partition_offset(topic, partition, Offset::Offset(i64::try_from(range.from).unwrap_or(i64::MAX)))?;
        consumer.assign(&list)?;
        let deadline = Instant::now() + PATIENCE;
        loop {
            match consumer.poll(Duration::from_millis(200)) {
                Some(Ok(message)) => {
                    let offset = message.offset().max(0).unsigned_abs();
                    if offset >= range.to {
                        break;
                    }
                    found.push(Range { from: offset, to: offset + 1 });
                }
                Some(Err(KafkaError::PartitionEOF(_))) => break,
                Some(Err(error)) if Instant::now() > deadline => return Err(error),
                None if Instant::now() > deadline => {
                    return Err(KafkaError::MessageConsumption(RDKafkaErrorCode::OperationTimedOut));
                }
                Some(Err(_)) | None => {}
            }
        }
    }
    Ok(joined(found))
}
