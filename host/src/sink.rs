//! Kafka: records in, acknowledgements awaited, nothing given up that Kafka could still take.
//!
//! What waits is bounded in records and bytes; when it is full, [`Sink::send`] waits, its caller stops reading its
//! socket, and the exchange's own buffers fill. There are two ways to Kafka: `at_least_once` hands each record over at
//! once, `exactly_once` gathers them into transactions.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use rdkafka::error::KafkaError;
use rdkafka::message::OwnedHeaders;
use tokio::task::JoinError;
use tokio::time::{Instant, timeout_at};

use crate::config::{Delivery, KafkaConfig, SpoolConfig};
use crate::metrics::{SessionMetrics, SinkMetrics};

mod client;
pub mod dead_letter;
mod deliveries;
pub mod positions;
pub mod record;
pub mod spool;
mod tally;
pub mod topics;

mod at_least_once;
mod exactly_once;
mod producer;

use at_least_once::AtLeastOnce;
pub use client::client_config;
use deliveries::Deliveries;
use exactly_once::ExactlyOnce;
pub use positions::{CheckpointRecord, CheckpointSource};
use producer::Producers;
#[cfg(test)]
pub(crate) use producer::simulated::{Broker, Luck as DeliveryLuck, Record as DeliveryRecord};
pub use tally::Tally;

/// How long a full queue is waited for before it is looked at again, should a wake-up be missed.
const FULL_QUEUE_PAUSE: Duration = Duration::from_millis(20);

/// A record on its way to Kafka.
#[derive(Clone, Copy, Debug)]
pub struct Outgoing<'a> {
    /// Full name of the topic.
    pub topic: &'a str,
    /// Key: all records of a key go to one partition, in order.
    pub key: &'a [u8],
    /// Value.
    pub payload: &'a [u8],
    /// Headers, if it has any.
    pub headers: Option<&'a OwnedHeaders>,
    /// Whose latency figure the delivery counts for.
    pub account: Account,
}

/// Names the session whose figures a delivery counts for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Account(u16);

impl Account {
    /// For records whose latency is of no interest.
    const NONE: Self = Self(u16::MAX);
    /// For records from the spool.
    const SPOOL: Self = Self(u16::MAX - 1);
}

/// The way to Kafka, shared by all sessions.
#[derive(Clone)]
pub struct Sink {
    deliveries: Arc<Deliveries>,
    way: Way,
}

#[derive(Clone)]
enum Way {
    AtLeastOnce(Arc<AtLeastOnce>),
    ExactlyOnce(Arc<ExactlyOnce>),
}

impl Sink {
    /// Makes the producer. It connects by itself, and again whenever it must.
    ///
    /// # Errors
    /// A property that librdkafka does not accept; a folder for the spool that cannot be used.
    pub fn new(config: &KafkaConfig, spool: Option<&SpoolConfig>, metrics: &SinkMetrics) -> anyhow::Result<Self> {
        let deliveries = Arc::new(Deliveries::new(metrics.clone()));
        let way = match config.delivery {
            Delivery::AtLeastOnce => {
                let producers = Producers::new(config, &deliveries);
                Way::AtLeastOnce(Arc::new(AtLeastOnce::new(config, producers, spool, &deliveries, metrics)?))
            }
            Delivery::ExactlyOnce => Way::ExactlyOnce(Arc::new(ExactlyOnce::new(config, &deliveries)?)),
        };
        Ok(Self { deliveries, way })
    }

    /// At least once, to this broker alone.
    #[cfg(test)]
    pub(crate) fn to(
        broker: Broker,
        config: &KafkaConfig,
        spool: Option<&SpoolConfig>,
        metrics: &SinkMetrics,
    ) -> anyhow::Result<Self> {
        let deliveries = Arc::new(Deliveries::new(metrics.clone()));
        let producers = Producers::new(config, &deliveries).to(broker);
        let way = Way::AtLeastOnce(Arc::new(AtLeastOnce::new(config, producers, spool, &deliveries, metrics)?));
        Ok(Self { deliveries, way })
    }

    /// Opens an account for a session's figures.
    pub fn account(&self, metrics: &SessionMetrics) -> Account {
        Account(self.deliveries.open_account(metrics.produce.clone()))
    }

    /// Names who knows the positions. They are written about once a second, each after the trades that it counts; exactly
    /// once, with them in one transaction. To be called once, before the first record; later calls change nothing.
    pub fn checkpoints(&self, source: Arc<dyn CheckpointSource>) {
        match &self.way {
            Way::AtLeastOnce(way) => way.checkpoints(source),
            Way::ExactlyOnce(way) => way.checkpoints(source),
        }
    }

    /// Takes possession of what no two hosts may write at a time, and hands over what an earlier host left in the spool. To
    /// be called once the topics are there, before [`positions::read`] and the first record, while [`Sink::run`] runs; tries
    /// until Kafka answers.
    ///
    /// # Errors
    /// Kafka does not let this host have it.
    pub async fn open(&self) -> anyhow::Result<()> {
        match &self.way {
            Way::AtLeastOnce(way) => {
                way.open().await;
                Ok(())
            }
            Way::ExactlyOnce(way) => way.open().await,
        }
    }

    /// Hands a record over, waiting for as long as there is no room. Once the record is certain to reach Kafka unless the
    /// host dies, and before it can be part of a checkpoint, `on_accepted` is called.
    ///
    /// # Errors
    /// A record that Kafka can never take: it is larger than `message.max.bytes`. `on_accepted` is not called then.
    pub async fn send(&self, record: &Outgoing<'_>, on_accepted: impl FnOnce()) -> Result<(), KafkaError> {
        match &self.way {
            Way::AtLeastOnce(way) => way.send(record, on_accepted).await,
            Way::ExactlyOnce(way) => way.send(record, on_accepted).await,
        }
    }

    /// Everything that the sink does besides what it is called for: redelivery, transactions, checkpoints. Run it as a
    /// task; it ends only when the host has to.
    ///
    /// # Errors
    /// The host cannot go on; the sentence says why.
    pub async fn run(self) -> anyhow::Result<Infallible> {
        match &self.way {
            Way::AtLeastOnce(way) => way.run().await,
            Way::ExactlyOnce(way) => way.run().await,
        }
    }

    /// Records that Kafka has not acknowledged yet.
    pub fn in_flight(&self) -> u64 {
        self.deliveries.in_flight()
    }

    /// Waits until Kafka has acknowledged everything, the last positions included; where it does not, the spool takes what
    /// is left. Returns how many records are neither in Kafka nor in the spool by `deadline`. No record may be sent any more; [`Sink::run`] must still be running.
    pub async fn drain(&self, deadline: Instant) -> u64 {
        match &self.way {
            Way::AtLeastOnce(way) => way.drain(deadline).await,
            Way::ExactlyOnce(_) => _ = wait_until(&self.deliveries, Some(deadline), || self.in_flight() == 0).await,
        }
        self.in_flight()
    }
}

/// Does work that blocks, away from the threads that serve sockets; in simulated time at once, so that nothing depends on
/// how fast a thread is.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, JoinError> {
    #[cfg(test)]
    if crate::simulation::is_on() {
        return Ok(work());
    }
    tokio::task::spawn_blocking(work).await
}

/// Waits for a condition that deliveries bring about. False if it is not met by `deadline`.
async fn wait_until(deliveries: &Deliveries, deadline: Option<Instant>, met: impl Fn() -> bool) -> bool {
    loop {
        let changed = deliveries.changed();
        if met() {
            return true;
        }
        if deadline.is_some_and(|deadline| Instant::now() >= deadline) {
            return false;
        }
        let pause = Instant::now() + FULL_QUEUE_PAUSE;
        let _ = timeout_at(deadline.map_or(pause, |deadline| deadline.min(pause)), changed).await;
    }
}
