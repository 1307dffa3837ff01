//! The producer of the loop, told what Tapedeck tells its own by default.

use std::time::Duration;

use anyhow::{Context, Result};
use rdkafka::ClientConfig;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::producer::{BaseRecord, DefaultProducerContext, ThreadedProducer};

/// A producer with a thread for delivery reports, and where it writes to.
pub struct Producer {
    inner: ThreadedProducer<DefaultProducerContext>,
    topic: String,
}

impl Producer {
    /// A producer into a topic.
    ///
    /// # Errors
    /// librdkafka refuses a setting.
    pub fn new(brokers: &str, topic: &str) -> Result<Self> {
        let mut client = ClientConfig::new();
        client
            .set("bootstrap.servers", brokers)
            .set("enable.idempotence", "true")
            .set("acks", "all")
            .set("partitioner", "murmur2_random")
            .set("message.max.bytes", "33554432")
            .set("compression.type", "lz4")
            .set("linger.ms", "5")
            .set("message.timeout.ms", "0")
            .set("queue.buffering.max.messages", "100000")
            .set("queue.buffering.max.kbytes", "65536");
        let inner = client.create().context("the producer cannot be made")?;
        Ok(Self { inner, topic: topic.to_owned() })
    }

    /// Hands a record over; waits for as long as the queue is full.
    ///
    /// # Errors
    /// Any other reason why Kafka's client does not take it.
    pub fn send(&self, key: &str, payload: &[u8]) -> Result<()> {
        let mut record = BaseRecord::to(&self.topic).key(key).payload(payload);
        while let Err((error, back)) = self.inner.send(record) {
            if !matches!(error, KafkaError::MessageProduction(RDKafkaErrorCode::QueueFull)) {
                return Err(error).context("Kafka's client does not take a record");
            }
            record = back;
            std::thread::sleep(Duration::from_millis(1));
        }
        Ok(())
    }
}
