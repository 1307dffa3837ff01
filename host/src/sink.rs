//! Kafka: records in, acknowledgements awaited, nothing given up that Kafka could still take.
//!
//! The producer is idempotent and waits for all replicas. Its queue is bounded in records and bytes; when it is full,
//! [`Sink::send`] waits, its caller stops reading its socket, and the exchange's own buffers fill. A delivery that
//! fails is tried again until Kafka takes it; while any such record waits, new ones wait behind it.

use std::convert::Infallible;
use std::sync::{Arc, OnceLock, PoisonError, RwLock};
use std::time::Duration;

use anyhow::Context as _;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::OwnedHeaders;
use rdkafka::producer::{BaseRecord, Producer as _};
use tokio::sync::Mutex;
use tokio::time::{Instant, timeout_at};
use tracing::{error, info, warn};

use crate::config::KafkaConfig;
use crate::metrics::{SessionMetrics, SinkMetrics};

mod client;
pub mod dead_letter;
mod deliveries;
pub mod positions;
pub mod record;
pub mod topics;

pub use client::client_config;
use deliveries::{Deliveries, Opaque, Producer, Undelivered};
pub use positions::{CheckpointRecord, CheckpointSource};

/// How long a full queue is waited for before it is looked at again, should a wake-up be missed.
const FULL_QUEUE_PAUSE: Duration = Duration::from_millis(20);

/// Pause between two attempts to deliver what failed.
const RETRY_PAUSE: Duration = Duration::from_secs(1);

/// Pause between two checkpoints.
const CHECKPOINT_PAUSE: Duration = Duration::from_secs(1);

/// A record on its way to Kafka.
#[derive(Debug)]
pub struct Outgoing<'a> {
    /// Full name of the topic.
    pub topic: &'a str,
    /// Key: all records of a key go to one partition, in order.
    pub key: &'a [u8],
    /// Value.
    pub payload: &'a [u8],
    /// Headers.
    pub headers: &'a OwnedHeaders,
    /// Whose latency figure the delivery counts for.
    pub account: Account,
}

/// Names the session whose figures a delivery counts for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Account(u16);

impl Account {
    /// For records whose latency is of no interest.
    const NONE: Self = Self(u16::MAX);
}

/// The way to Kafka, shared by all sessions.
#[derive(Clone)]
pub struct Sink {
    shared: Arc<Shared>,
}

struct Shared {
    config: KafkaConfig,
    deliveries: Arc<Deliveries>,
    producer: RwLock<Producer>,
    metrics: SinkMetrics,
    checkpoints: OnceLock<Arc<dyn CheckpointSource>>,
    checkpoint_headers: OwnedHeaders,
    /// One checkpoint at a time: there are no more than two epochs.
    checkpointing: Mutex<()>,
}

impl Sink {
    /// Makes the producer. It connects by itself, and again whenever it must.
    ///
    /// # Errors
    /// A property that librdkafka does not accept.
    pub fn new(config: &KafkaConfig, metrics: SinkMetrics) -> anyhow::Result<Self> {
        let deliveries = Arc::new(Deliveries::new(metrics.clone()));
        let producer = deliveries::producer(config, &deliveries).context("[kafka] is not usable")?;
        let shared = Shared {
            config: config.clone(),
            deliveries,
            producer: RwLock::new(producer),
            metrics,
            checkpoints: OnceLock::new(),
            checkpoint_headers: positions::headers(),
            checkpointing: Mutex::new(()),
        };
        Ok(Self { shared: Arc::new(shared) })
    }

    /// Opens an account for a session's figures.
    pub fn account(&self, metrics: &SessionMetrics) -> Account {
        Account(self.shared.deliveries.open_account(metrics.produce.clone()))
    }

    /// Names who knows the positions: they are written about once a second, each after the trades that it counts. To be
    /// called once, before the first record; later calls change nothing.
    pub fn checkpoints(&self, source: Arc<dyn CheckpointSource>) {
        let _ = self.shared.checkpoints.set(source);
    }

    /// Hands a record to the producer, waiting for as long as its queue is full. Once the record is certain to reach
    /// Kafka unless the host dies, and before it can be part of a checkpoint, `on_accepted` is called.
    ///
    /// # Errors
    /// A record that Kafka can never take: it is larger than `message.max.bytes`. `on_accepted` is not called then.
    pub async fn send(&self, record: &Outgoing<'_>, on_accepted: impl FnOnce()) -> Result<(), KafkaError> {
        let opaque = self.shared.deliveries.handed_over(record.account.0);
        let sent = self.wait_and_send(record, opaque).await;
        match sent {
            Ok(()) => on_accepted(),
            Err(_) => self.shared.deliveries.settled(opaque),
        }
        sent
    }

    async fn wait_and_send(&self, record: &Outgoing<'_>, opaque: Opaque) -> Result<(), KafkaError> {
        loop {
            let changed = self.shared.deliveries.changed();
            if !self.shared.deliveries.has_failures() {
                match self.try_send(record, opaque) {
                    Err(KafkaError::MessageProduction(RDKafkaErrorCode::QueueFull)) => {
                        self.shared.metrics.waits.inc();
                    }
                    Err(KafkaError::MessageProduction(RDKafkaErrorCode::Fatal)) => {
                        self.shared.deliveries.producer_failed();
                        continue;
                    }
                    other => return other,
                }
            }
            let _ = timeout_at(Instant::now() + FULL_QUEUE_PAUSE, changed).await;
        }
    }

    fn try_send(&self, record: &Outgoing<'_>, opaque: Opaque) -> Result<(), KafkaError> {
        let base = BaseRecord::with_opaque_to(record.topic, opaque.pack())
            .key(record.key)
            .payload(record.payload)
            .headers(record.headers.clone());
        self.with_producer(|producer| producer.send(base).map_err(|(error, _)| error))
    }

    /// Everything that the sink does besides what it is called for: redelivery and checkpoints. Run it as a task; it ends
    /// only when the host has to.
    ///
    /// # Errors
    /// The host cannot go on; the sentence says why.
    pub async fn run(self) -> anyhow::Result<Infallible> {
        tokio::select! {
            ended = self.redeliver() => ended,
            never = self.write_checkpoints() => match never {},
        }
    }

    async fn write_checkpoints(&self) -> Infallible {
        loop {
            tokio::time::sleep(CHECKPOINT_PAUSE).await;
            self.checkpoint(None).await;
        }
    }

    /// Writes the positions that changed, once Kafka has everything that they count. False if it has not by `deadline`.
    async fn checkpoint(&self, deadline: Option<Instant>) -> bool {
        let Some(source) = self.shared.checkpoints.get() else { return true };
        let _alone = self.shared.checkpointing.lock().await;
        let positions = source.changed();
        if positions.is_empty() {
            return true;
        }
        // In this order: what the positions count was handed over in the epoch that ends now.
        let ended = self.shared.deliveries.begin_epoch();
        if !self.wait_until(deadline, || self.shared.deliveries.arrived(ended)).await {
            return false;
        }
        let topic = self.shared.config.positions_topic();
        for position in positions {
            let record = Outgoing {
                topic: &topic,
                key: &position.key,
                payload: &position.payload,
                headers: &self.shared.checkpoint_headers,
                account: Account::NONE,
            };
            if let Err(error) = self.send(&record, || ()).await {
                let key = String::from_utf8_lossy(&position.key);
                error!(%key, %error, "Kafka can never take this position: a host that starts again goes on from an older one");
            }
        }
        true
    }

    /// Delivers again what failed, for ever.
    async fn redeliver(&self) -> anyhow::Result<Infallible> {
        loop {
            let changed = self.shared.deliveries.changed();
            if !self.shared.deliveries.has_failures() {
                changed.await;
                continue;
            }
            tokio::time::sleep(RETRY_PAUSE).await;
            self.replace_failed_producer().await;
            let failures = self.shared.deliveries.take_failures();
            let count = failures.len();
            for failure in failures {
                self.deliver_again(failure).await;
            }
            self.shared.deliveries.failures_handled();
            info!(records = count, "handed records to Kafka again after a failed delivery");
        }
    }

    async fn deliver_again(&self, failure: Undelivered) {
        let (record, opaque) = (failure.outgoing(), failure.opaque);
        loop {
            match self.try_send(&record, opaque) {
                Err(KafkaError::MessageProduction(RDKafkaErrorCode::QueueFull)) => {
                    tokio::time::sleep(FULL_QUEUE_PAUSE).await;
                }
                Err(KafkaError::MessageProduction(RDKafkaErrorCode::Fatal)) => {
                    tokio::time::sleep(RETRY_PAUSE).await;
                    self.replace_failed_producer().await;
                }
                Err(error) => {
                    error!(topic = record.topic, %error, "Kafka can never take this record: it is lost");
                    return self.shared.deliveries.settled(opaque);
                }
                Ok(()) => return,
            }
        }
    }

    /// An idempotent producer that lost its place in the sequence never recovers: a new one takes over. What the old one
    /// still held comes back as failed deliveries.
    async fn replace_failed_producer(&self) {
        let Some((code, reason)) = self.with_producer(|producer| producer.client().fatal_error()) else { return };
        warn!(%code, reason, "Kafka's producer cannot go on, a new one takes over");
        let fresh = match deliveries::producer(&self.shared.config, &self.shared.deliveries) {
            Ok(fresh) => fresh,
            Err(error) => return error!(%error, "a new producer could not be made, trying again"),
        };
        let old = {
            let mut producer = self.shared.producer.write().unwrap_or_else(PoisonError::into_inner);
            std::mem::replace(&mut *producer, fresh)
        };
        // Dropping waits for its thread and reports everything in its queue as failed.
        let _ = tokio::task::spawn_blocking(move || drop(old)).await;
    }

    fn with_producer<T>(&self, read: impl FnOnce(&Producer) -> T) -> T {
        read(&self.shared.producer.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Records that Kafka has not acknowledged yet.
    pub fn in_flight(&self) -> u64 {
        self.shared.deliveries.in_flight()
    }

    /// Waits until Kafka has acknowledged everything, and writes the last positions. Returns how many records it has not
    /// by `deadline`. No record may be sent any more;
    /// [`Sink::run`] must still be running.
    pub async fn drain(&self, deadline: Instant) -> u64 {
        // Records that linger for company need not any more.
        let sink = self.clone();
        let _ =
            tokio::task::spawn_blocking(move || sink.with_producer(|producer| producer.flush(Duration::ZERO))).await;
        let none = || self.in_flight() == 0;
        if self.wait_until(Some(deadline), none).await && self.checkpoint(Some(deadline)).await {
            self.wait_until(Some(deadline), none).await;
        }
        self.in_flight()
    }

    /// Waits for a condition that delivery reports bring about. False if it is not met by `deadline`.
    async fn wait_until(&self, deadline: Option<Instant>, met: impl Fn() -> bool) -> bool {
        loop {
            let changed = self.shared.deliveries.changed();
            if met() {
                return true;
            }
            let pause = Instant::now() + FULL_QUEUE_PAUSE;
            if deadline.is_some_and(|deadline| Instant::now() >= deadline) {
                return false;
            }
            let _ = timeout_at(deadline.map_or(pause, |deadline| deadline.min(pause)), changed).await;
        }
    }
}
