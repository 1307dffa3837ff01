//! A topic, read and written directly: what the host left there, and what a test puts there in its place.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, TopicReplication};
use rdkafka::client::DefaultClientContext;
use rdkafka::config::ClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::{Header, Headers, Message, OwnedHeaders};
use rdkafka::producer::DefaultProducerContext;
use rdkafka::producer::{BaseRecord, Producer, ThreadedProducer};
use rdkafka::{Offset, TopicPartitionList};

use crate::exchange::runtime;

const PATIENCE: Duration = Duration::from_secs(30);

/// A record, as it lies in Kafka.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs)]
pub struct Record {
    pub partition: i32,
    pub key: Vec<u8>,
    pub payload: Vec<u8>,
    pub headers: BTreeMap<String, String>,
}

impl Record {
    /// The value of a header.
    ///
    /// # Errors
    /// There is none of this name.
    pub fn header(&self, name: &str) -> Result<&str> {
        let value = self.headers.get(name).with_context(|| format!("no header {name} in {:?}", self.headers))?;
        Ok(value)
    }

    /// The value as JSON.
    ///
    /// # Errors
    /// It is none.
    pub fn json(&self) -> Result<serde_json::Value> {
        serde_json::from_slice(&self.payload)
            .with_context(|| format!("a record is not JSON: {}", String::from_utf8_lossy(&self.payload)))
    }
}

/// A topic of one broker.
#[derive(Clone, Debug)]
pub struct Topic {
    brokers: String,
    name: String,
}

impl Topic {
    /// The topic of this name.
    pub fn new(brokers: &str, name: &str) -> Self {
        Self { brokers: brokers.to_owned(), name: name.to_owned() }
    }

    /// The topic of this name behind its own.
    #[must_use]
    pub fn sibling(&self, name: &str) -> Self {
        Self::new(&self.brokers, &format!("{}.{name}", self.name))
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Makes it, with four partitions as the host does.
    ///
    /// # Errors
    /// Kafka does not make it.
    pub fn create(&self) -> Result<()> {
        let admin: AdminClient<DefaultClientContext> = self.client().create()?;
        let topics = [NewTopic::new(&self.name, 4, TopicReplication::Fixed(1))];
        let options = AdminOptions::new().operation_timeout(Some(PATIENCE));
        for made in runtime().block_on(admin.create_topics(&topics, &options))? {
            made.map_err(|(topic, error)| anyhow::anyhow!("Kafka does not make {topic}: {error}"))?;
        }
        Ok(())
    }

    /// Where each partition ends: the offset that the next record gets.
    ///
    /// # Errors
    /// There is no such topic, or Kafka does not answer.
    pub fn ends(&self) -> Result<BTreeMap<i32, i64>> {
        self.ends_by(&self.consumer()?)
    }

    /// How many records it holds.
    ///
    /// # Errors
    /// As [`Topic::ends`].
    pub fn count(&self) -> Result<u64> {
        Ok(self.ends()?.values().sum::<i64>().unsigned_abs())
    }

    /// Everything that is in it now, partition by partition in order; of transactions only what is committed.
    ///
    /// # Errors
    /// As [`Topic::ends`]; not everything came within half a minute.
    pub fn records(&self) -> Result<Vec<Record>> {
        let mut client = self.client();
        client.set("group.id", "tapedeck-tests").set("enable.auto.commit", "false").set("enable.partition.eof", "true");
        let consumer: BaseConsumer = client.create()?;
        let mut list = TopicPartitionList::new();
        let mut unread: BTreeSet<i32> = self.ends_by(&consumer)?.into_keys().collect();
        for partition in &unread {
            list.add_partition_offset(&self.name, *partition, Offset::Beginning)?;
        }
        consumer.assign(&list)?;
        let mut records = Vec::new();
        let deadline = Instant::now() + PATIENCE;
        while !unread.is_empty() {
            match consumer.poll(Duration::from_millis(200)) {
                Some(Ok(message)) => records.push(Record {
                    partition: message.partition(),
                    key: message.key().unwrap_or_default().to_vec(),
                    payload: message.payload().unwrap_or_default().to_vec(),
                    headers: message.headers().map(texts).unwrap_or_default(),
                }),
                Some(Err(KafkaError::PartitionEOF(partition))) => _ = unread.remove(&partition),
                Some(Err(error)) if Instant::now() > deadline => return Err(error.into()),
                None if Instant::now() > deadline => {
                    bail!("only {} records of {} came: partitions {unread:?} have no end", records.len(), self.name)
                }
                Some(Err(_)) | None => {}
            }
        }
        records.sort_by_key(|record| record.partition);
        Ok(records)
    }

    /// Appends records, each to its partition, in order.
    ///
    /// # Errors
    /// Kafka does not take them within half a minute.
    pub fn produce<'a>(&self, records: impl IntoIterator<Item = &'a Record>) -> Result<()> {
        let mut client = self.client();
        client.set("enable.idempotence", "true").set("linger.ms", "5");
        let producer: ThreadedProducer<DefaultProducerContext> = client.create()?;
        for record in records {
            let headers = record
                .headers
                .iter()
                .fold(OwnedHeaders::new(), |headers, (key, value)| headers.insert(Header { key, value: Some(value) }));
            let mut next = BaseRecord::to(&self.name)
                .partition(record.partition)
                .key(&record.key)
                .payload(&record.payload)
                .headers(headers);
            while let Err((error, back)) = producer.send(next) {
                if !matches!(error, KafkaError::MessageProduction(RDKafkaErrorCode::QueueFull)) {
                    return Err(error.into());
                }
                next = back;
                std::thread::sleep(Duration::from_millis(5));
            }
        }
        Ok(producer.flush(PATIENCE)?)
    }

    fn ends_by(&self, consumer: &BaseConsumer) -> Result<BTreeMap<i32, i64>> {
        let metadata = consumer.fetch_metadata(Some(&self.name), PATIENCE)?;
        let topic = metadata.topics().first().context("Kafka says nothing of the topic")?;
        let mut ends = BTreeMap::new();
        for partition in topic.partitions() {
            let (_, end) = consumer.fetch_watermarks(&self.name, partition.id(), PATIENCE)?;
            ends.insert(partition.id(), end);
        }
        if ends.is_empty() {
            bail!("there is no topic {}", self.name);
        }
        Ok(ends)
    }

    fn consumer(&self) -> Result<BaseConsumer> {
        let mut client = self.client();
        client.set("group.id", "tapedeck-tests").set("enable.auto.commit", "false");
        Ok(client.create()?)
    }

    fn client(&self) -> ClientConfig {
        let mut client = ClientConfig::new();
        client.set("bootstrap.servers", &self.brokers).set("log_level", "0");
        client
    }
}

fn texts(headers: &impl Headers) -> BTreeMap<String, String> {
    let text = |value: Option<&[u8]>| String::from_utf8_lossy(value.unwrap_or_default()).into_owned();
    headers.iter().map(|header| (header.key.to_owned(), text(header.value))).collect()
}
