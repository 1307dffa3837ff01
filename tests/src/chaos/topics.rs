//! What a reader of Kafka gets: everything that is committed, to the end of each partition.
//!
//! Counting offsets would not do: markers of transactions and records of aborted ones have offsets too.

use std::collections::HashSet;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use rdkafka::config::ClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::KafkaError;
use rdkafka::message::Message;
use rdkafka::{Offset, TopicPartitionList};

/// How long the reading of a topic may take.
const PATIENCE: Duration = Duration::from_secs(120);

/// Hands over every committed record of a topic, partition by partition in order, as it lies there now.
///
/// # Errors
/// There is no such topic, Kafka does not answer, or the end does not come within two minutes; or `each` fails.
pub(super) fn read(brokers: &str, topic: &str, mut each: impl FnMut(&[u8], &[u8]) -> Result<()>) -> Result<()> {
    let mut client = ClientConfig::new();
    client.set("bootstrap.servers", brokers).set("log_level", "0").set("group.id", "tapedeck-chaos");
    client
        .set("enable.auto.commit", "false")
        .set("isolation.level", "read_committed")
        .set("enable.partition.eof", "true");
    let consumer: BaseConsumer = client.create()?;
    let metadata = consumer.fetch_metadata(Some(topic), PATIENCE)?;
    let partitions = metadata.topics().first().context("Kafka says nothing of the topic")?.partitions();
    let mut list = TopicPartitionList::new();
    let mut unread = HashSet::new();
    for partition in partitions {
        list.add_partition_offset(topic, partition.id(), Offset::Beginning)?;
        unread.insert(partition.id());
    }
    if unread.is_empty() {
        bail!("there is no topic {topic}");
    }
    consumer.assign(&list)?;
    let deadline = Instant::now() + PATIENCE;
    while !unread.is_empty() {
        match consumer.poll(Duration::from_millis(200)) {
            Some(Ok(message)) => {
                each(message.key().unwrap_or_default(), message.payload().unwrap_or_default())?;
            }
            Some(Err(KafkaError::PartitionEOF(partition))) => {
                unread.remove(&partition);
            }
            Some(Err(_)) | None => {}
        }
        if Instant::now() > deadline {
            bail!("{topic} was not read to its end: partitions {unread:?} are left");
        }
    }
    Ok(())
}

/// How many committed records a topic holds.
///
/// # Errors
/// As [`read`].
pub(super) fn count(brokers: &str, topic: &str) -> Result<u64> {
    let mut records = 0;
    read(brokers, topic, |_, _| {
        records += 1;
        Ok(())
    })?;
    Ok(records)
}
