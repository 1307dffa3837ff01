//! Reading a topic of dead letters from a time on to where it ends now.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::{Context as _, bail};
use jiff::Timestamp;
use rdkafka::consumer::{BaseConsumer, Consumer as _};
use rdkafka::error::KafkaError;
use rdkafka::message::Message as _;
use rdkafka::{Offset, TopicPartitionList};
use tokio::time::Instant;

use super::letter::{Letter, LetterId};
use crate::config::KafkaConfig;
use crate::sink::client_config;

/// How long Kafka may take for an answer.
const PATIENCE: Duration = Duration::from_secs(10);

/// How long nothing may come while there is more to come.
const SILENCE: Duration = Duration::from_secs(30);

/// The letters of one exchange, partition by partition in order, up to where the topic ended when it was opened. Blocks.
pub struct Letters {
    consumer: BaseConsumer,
    topic: String,
    /// Where each partition that is not read yet ends: the offset behind its last record.
    ends: BTreeMap<i32, i64>,
    heard: Instant,
}

impl Letters {
    /// Opens the letters that Kafka got at `since` or later; all if there is no such time. None if there is no such topic.
    ///
    /// # Errors
    /// Kafka cannot be reached.
    pub fn open(config: &KafkaConfig, exchange: &str, since: Option<Timestamp>) -> anyhow::Result<Option<Self>> {
        let topic = config.dead_letter_topic(exchange);
        let consumer = consumer(config)?;
        let Some(partitions) = partitions(&consumer, config, &topic)? else { return Ok(None) };
        let unread = || format!("Kafka at {} does not say how far {topic} reaches", config.brokers);
        let mut spans = BTreeMap::new();
        for partition in partitions {
            let span = consumer.fetch_watermarks(&topic, partition, PATIENCE).with_context(unread)?;
            spans.insert(partition, span);
        }
        if let Some(since) = since {
            let mut times = TopicPartitionList::new();
            for partition in spans.keys() {
                times.add_partition_offset(&topic, *partition, Offset::Offset(since.as_millisecond().max(0)))?;
            }
            let found = consumer.offsets_for_times(times, PATIENCE).with_context(unread)?;
            for element in found.elements() {
                let Some((start, end)) = spans.get_mut(&element.partition()) else { continue };
                // No offset: everything is older.
                *start = if let Offset::Offset(offset) = element.offset() { offset } else { *end };
            }
        }
        spans.retain(|_, (start, end)| start < end);
        let mut list = TopicPartitionList::new();
        for (partition, (start, _)) in &spans {
            list.add_partition_offset(&topic, *partition, Offset::Offset(*start))?;
        }
        consumer.assign(&list).with_context(|| format!("topic {topic} cannot be read"))?;
        let ends = spans.into_iter().map(|(partition, (_, end))| (partition, end)).collect();
        Ok(Some(Self { consumer, topic, ends, heard: Instant::now() }))
    }

    fn next_letter(&mut self) -> anyhow::Result<Option<Letter>> {
        while !self.ends.is_empty() {
            match self.consumer.poll(Duration::from_millis(200)) {
                Some(Ok(message)) => {
                    self.heard = Instant::now();
                    let (partition, next) = (message.partition(), message.offset() + 1);
                    let Some(end) = self.ends.get(&partition).copied() else { continue };
                    let letter = (next <= end).then(|| Letter::of(&message));
                    if next >= end {
                        self.ends.remove(&partition);
                    }
                    if letter.is_some() {
                        return Ok(letter);
                    }
                }
                // The offsets at the end may be those of records that are no letters, such as a transaction's marks.
                Some(Err(KafkaError::PartitionEOF(partition))) => drop(self.ends.remove(&partition)),
                Some(Err(error)) if self.heard.elapsed() > SILENCE => {
                    return Err(error).with_context(|| format!("topic {} cannot be read", self.topic));
                }
                None if self.heard.elapsed() > SILENCE => {
                    bail!("nothing came of topic {} for {} s, and it has more", self.topic, SILENCE.as_secs());
                }
                Some(Err(_)) | None => {}
            }
        }
        Ok(None)
    }
}

impl Iterator for Letters {
    type Item = anyhow::Result<Letter>;

    fn next(&mut self) -> Option<Self::Item> {
        self.next_letter().transpose()
    }
}

/// Reads one letter. Blocks.
///
/// # Errors
/// Kafka cannot be reached, or has no such letter.
pub fn read_one(config: &KafkaConfig, exchange: &str, id: LetterId) -> anyhow::Result<Letter> {
    let topic = config.dead_letter_topic(exchange);
    let consumer = consumer(config)?;
    let partitions = partitions(&consumer, config, &topic)?
        .with_context(|| format!("Kafka has no topic {topic}: no frame of {exchange} was ever refused"))?;
    if !partitions.contains(&id.partition) {
        bail!("topic {topic} has {} partitions, and none is {}", partitions.len(), id.partition);
    }
    let (start, end) = consumer.fetch_watermarks(&topic, id.partition, PATIENCE)?;
    if !(start..end).contains(&id.offset) {
        bail!("there is no letter {id} in {topic}: partition {} has the offsets {start} to {}", id.partition, end - 1);
    }
    let mut list = TopicPartitionList::new();
    list.add_partition_offset(&topic, id.partition, Offset::Offset(id.offset))?;
    consumer.assign(&list)?;
    let ends = BTreeMap::from([(id.partition, id.offset + 1)]);
    let mut letters = Letters { consumer, topic, ends, heard: Instant::now() };
    let letter = letters.next_letter()?.filter(|letter| letter.id == id);
    letter.with_context(|| format!("there is no letter {id} in {}: Kafka has removed it", letters.topic))
}

fn consumer(config: &KafkaConfig) -> anyhow::Result<BaseConsumer> {
    let mut client = client_config(config);
    client
        // A consumer wants a group; nothing is ever committed to it.
        .set("group.id", "tapedeck-dead-letters")
        .set("enable.auto.commit", "false")
        .set("enable.partition.eof", "true")
        .set("isolation.level", "read_committed")
        // Letters are large: few are fetched ahead.
        .set("queued.max.messages.kbytes", "65536");
    client.create().context("[kafka] is not usable")
}

/// The partitions of a topic; none if there is no such topic.
fn partitions(consumer: &BaseConsumer, config: &KafkaConfig, topic: &str) -> anyhow::Result<Option<Vec<i32>>> {
    let metadata = consumer.fetch_metadata(Some(topic), PATIENCE).with_context(|| {
        format!(
            "Kafka cannot be reached at {} ([kafka] brokers): is it running, and is the address right?",
            config.brokers
        )
    })?;
    let partitions = metadata.topics().iter().flat_map(|topic| topic.partitions());
    let partitions: Vec<i32> = partitions.map(|partition| partition.id()).collect();
    Ok((!partitions.is_empty()).then_some(partitions))
}
