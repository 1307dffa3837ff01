//! Kafka's producer, as it serves records that are sent at least once.

use std::sync::Arc;
use std::time::Duration;

use rdkafka::client::ClientContext;
use rdkafka::config::FromClientConfigAndContext as _;
use rdkafka::error::{KafkaError, KafkaResult, RDKafkaErrorCode};
use rdkafka::producer::{BaseRecord, DeliveryResult, Producer as _, ProducerContext, PurgeConfig, ThreadedProducer};
use tracing::debug;

use super::Outgoing;
use super::client::producer_config;
use super::deliveries::{Deliveries, Opaque};
use crate::config::KafkaConfig;

#[cfg(test)]
pub(crate) mod simulated;

/// Makes producers that report to the same deliveries.
pub(super) struct Producers {
    config: KafkaConfig,
    deliveries: Arc<Deliveries>,
    #[cfg(test)]
    broker: Option<simulated::Broker>,
}

/// An idempotent producer. Cheap to clone.
#[derive(Clone)]
pub(super) enum Producer {
    /// With a thread of its own for delivery reports.
    Kafka(ThreadedProducer<Reports>),
    #[cfg(test)]
    Simulated(Arc<simulated::Producer>),
}

impl Producers {
    pub(super) fn new(config: &KafkaConfig, deliveries: &Arc<Deliveries>) -> Self {
        Self {
            config: config.clone(),
            deliveries: Arc::clone(deliveries),
            #[cfg(test)]
            broker: None,
        }
    }

    /// Producers of the same kind that know this broker alone.
    #[cfg(test)]
    pub(super) fn to(self, broker: simulated::Broker) -> Self {
        Self { broker: Some(broker), ..self }
    }

    /// # Errors
    /// A property that librdkafka does not accept.
    pub(super) fn make(&self) -> KafkaResult<Producer> {
        #[cfg(test)]
        if let Some(broker) = &self.broker {
            return Ok(Producer::Simulated(broker.producer(&self.deliveries, self.config.queue_messages)));
        }
        let mut client = producer_config(&self.config);
        client
            // For ever: what was accepted is kept until Kafka takes it.
            .set("message.timeout.ms", "0")
            .set("queue.buffering.max.messages", self.config.queue_messages.to_string())
            .set("queue.buffering.max.kbytes", (self.config.queue_bytes / 1024).max(1).to_string());
        let reports = Reports { deliveries: Arc::clone(&self.deliveries) };
        ThreadedProducer::from_config_and_context(&client, reports).map(Producer::Kafka)
    }
}

impl Producer {
    /// Queues a record.
    ///
    /// # Errors
    /// The queue is full, the producer is of no more use, or Kafka can never take the record.
    pub(super) fn send(&self, record: &Outgoing<'_>, opaque: Opaque) -> Result<(), KafkaError> {
        match self {
            Self::Kafka(producer) => {
                let mut base =
                    BaseRecord::with_opaque_to(record.topic, opaque.pack()).key(record.key).payload(record.payload);
                base.headers = record.headers.cloned();
                producer.send(base).map_err(|(error, _)| error)
            }
            #[cfg(test)]
            Self::Simulated(producer) => producer.send(record, opaque),
        }
    }

    /// Why it is of no more use, if it is not.
    pub(super) fn fatal_error(&self) -> Option<(RDKafkaErrorCode, String)> {
        match self {
            Self::Kafka(producer) => producer.client().fatal_error(),
            #[cfg(test)]
            Self::Simulated(producer) => producer.fatal_error(),
        }
    }

    /// Sends what lingers, and waits for acknowledgements for so long. Blocks.
    pub(super) fn flush(&self, patience: Duration) {
        match self {
            // What is not acknowledged by then is seen by the deliveries.
            Self::Kafka(producer) => _ = producer.flush(patience),
            #[cfg(test)]
            Self::Simulated(_) => {}
        }
    }

    /// Gives everything that is not acknowledged back as failed.
    pub(super) fn purge(&self) {
        match self {
            Self::Kafka(producer) => producer.purge(PurgeConfig::default().queue().inflight()),
            #[cfg(test)]
            Self::Simulated(producer) => producer.purge(),
        }
    }
}

/// Takes librdkafka's reports.
#[derive(Debug)]
pub(super) struct Reports {
    deliveries: Arc<Deliveries>,
}

impl ClientContext for Reports {
    fn error(&self, error: KafkaError, reason: &str) {
        // Said for every attempt to reach a broker that is away; the producer goes on by itself.
        debug!(%error, reason, "Kafka's client reports");
    }
}

impl ProducerContext for Reports {
    type DeliveryOpaque = usize;

    fn delivery(&self, result: &DeliveryResult<'_>, opaque: usize) {
        let opaque = Opaque::unpack(opaque);
        match result {
            Ok(_) => self.deliveries.delivered(opaque),
            Err((error, message)) => self.deliveries.failed(error, message.detach(), opaque),
        }
        self.deliveries.wake();
    }
}
