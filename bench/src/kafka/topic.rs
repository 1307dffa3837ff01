//! A topic of one run: made before it, looked at while it runs, deleted after it.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow};
use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, TopicReplication};
use rdkafka::client::DefaultClientContext;
use rdkafka::config::ClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer as _};
use rdkafka::{Offset, TopicPartitionList};

/// As many as Tapedeck makes by default.
const PARTITIONS: i32 = 4;

const PATIENCE: Duration = Duration::from_secs(30);

/// A topic.
pub(super) struct Topic {
    brokers: String,
    name: String,
    admin: AdminClient<DefaultClientContext>,
    consumer: BaseConsumer,
}

impl Topic {
    /// Makes it.
    pub(super) fn create(brokers: &str, name: &str) -> Result<Self> {
        let admin: AdminClient<DefaultClientContext> = client(brokers).create()?;
        let topics = [NewTopic::new(name, PARTITIONS, TopicReplication::Fixed(1))];
        for made in wait(admin.create_topics(&topics, &options()))?? {
            made.map_err(|(topic, error)| anyhow!("Kafka does not make the topic {topic}: {error}"))?;
        }
        let topic = Self { consumer: consumer(brokers)?, brokers: brokers.to_owned(), name: name.to_owned(), admin };
        // A broker makes a topic before it knows the way to it.
        let deadline = Instant::now() + PATIENCE;
        while let Err(error) = topic.records() {
            if Instant::now() > deadline {
                return Err(error);
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        Ok(topic)
    }

    /// How many records it holds: one small request, which costs Kafka next to nothing.
    pub(super) fn records(&self) -> Result<u64> {
        let ends = self.consumer.offsets_for_times(self.list(Offset::End)?, PATIENCE);
        let ends = ends.with_context(|| format!("Kafka does not say where {} ends", self.name))?;
        let mut records = 0;
        for end in ends.elements() {
            end.error().with_context(|| format!("Kafka does not say where {} ends", self.name))?;
            if let Offset::Offset(offset) = end.offset() {
                records += u64::try_from(offset).unwrap_or(0);
            }
        }
        Ok(records)
    }

    /// A consumer of all of it, from the beginning, that gets what comes as soon as it is there.
    pub(super) fn consume(&self) -> Result<BaseConsumer> {
        let consumer = consumer(&self.brokers)?;
        consumer.assign(&self.list(Offset::Beginning)?)?;
        Ok(consumer)
    }

    fn list(&self, offset: Offset) -> Result<TopicPartitionList> {
        let mut list = TopicPartitionList::new();
        for partition in 0..PARTITIONS {
            list.add_partition_offset(&self.name, partition, offset)?;
        }
        Ok(list)
    }
}

impl Drop for Topic {
    fn drop(&mut self) {
        // What stays goes with the broker.
        let _ = wait(self.admin.delete_topics(&[&self.name], &options()));
    }
}

fn client(brokers: &str) -> ClientConfig {
    let mut client = ClientConfig::new();
    client.set("bootstrap.servers", brokers).set("log_level", "0");
    client
}

fn consumer(brokers: &str) -> Result<BaseConsumer> {
    let mut client = client(brokers);
    client
        .set("group.id", "tapedeck-bench")
        .set("enable.auto.commit", "false")
        .set("enable.auto.offset.store", "false");
    client.set("fetch.min.bytes", "1").set("fetch.wait.max.ms", "500").set("max.partition.fetch.bytes", "8388608");
    Ok(client.create()?)
}

fn options() -> AdminOptions {
    AdminOptions::new().operation_timeout(Some(PATIENCE))
}

fn wait<F: Future>(future: F) -> Result<F::Output> {
    Ok(tokio::runtime::Builder::new_current_thread().build()?.block_on(future))
}
