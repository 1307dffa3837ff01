//! Delivery reports: what Kafka acknowledged, how long it took, and what is to be sent again.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::{Duration, Instant};

use prometheus_client::metrics::histogram::Histogram;
use rdkafka::client::ClientContext;
use rdkafka::config::FromClientConfigAndContext as _;
use rdkafka::error::{KafkaError, KafkaResult};
use rdkafka::message::{Message as _, OwnedHeaders, OwnedMessage};
use rdkafka::producer::{DeliveryResult, ProducerContext, ThreadedProducer};
use tokio::sync::Notify;
use tracing::{debug, warn};

use super::{Account, Outgoing, client_config};
use crate::config::KafkaConfig;
use crate::metrics::SinkMetrics;

/// A producer with a thread of its own for delivery reports.
pub(super) type Producer = ThreadedProducer<Reports>;

/// What is known of the records on their way.
#[derive(Debug)]
pub(super) struct Deliveries {
    start: Instant,
    in_flight: AtomicU64,
    /// Set from the first failed delivery until all failures are handed over again.
    failing: AtomicBool,
    /// Bounded by the producer's queue: a record is in one or the other.
    failures: Mutex<VecDeque<Undelivered>>,
    accounts: RwLock<Vec<Histogram>>,
    changed: Notify,
    metrics: SinkMetrics,
}

impl Deliveries {
    pub(super) fn new(metrics: SinkMetrics) -> Self {
        Self {
            start: Instant::now(),
            in_flight: AtomicU64::new(0),
            failing: AtomicBool::new(false),
            failures: Mutex::default(),
            accounts: RwLock::default(),
            changed: Notify::new(),
            metrics,
        }
    }

    pub(super) fn open_account(&self, latency: Histogram) -> u16 {
        let mut accounts = self.accounts.write().unwrap_or_else(PoisonError::into_inner);
        accounts.push(latency);
        u16::try_from(accounts.len() - 1).unwrap_or(u16::MAX)
    }

    /// Resolves after the next delivery report.
    pub(super) fn changed(&self) -> impl Future<Output = ()> {
        self.changed.notified()
    }

    pub(super) fn elapsed(&self) -> Duration {
        self.start.elapsed()
    }

    pub(super) fn in_flight(&self) -> u64 {
        self.in_flight.load(Ordering::Acquire)
    }

    pub(super) fn handed_over(&self) {
        self.in_flight.fetch_add(1, Ordering::AcqRel);
        self.metrics.in_flight.inc();
    }

    /// A record is acknowledged, or was not taken at all.
    pub(super) fn settled(&self) {
        self.in_flight.fetch_sub(1, Ordering::AcqRel);
        self.metrics.in_flight.dec();
    }

    pub(super) fn has_failures(&self) -> bool {
        self.failing.load(Ordering::Acquire)
    }

    /// The producer takes no more records: holds new ones back until another has taken over.
    pub(super) fn producer_failed(&self) {
        self.failing.store(true, Ordering::Release);
        self.changed.notify_waiters();
    }

    pub(super) fn take_failures(&self) -> VecDeque<Undelivered> {
        let failures = std::mem::take(&mut *self.lock_failures());
        self.metrics.retried.inc_by(failures.len() as u64);
        failures
    }

    /// To be called when what was taken has been handed over again.
    pub(super) fn failures_handled(&self) {
        let failures = self.lock_failures();
        self.failing.store(!failures.is_empty(), Ordering::Release);
        drop(failures);
        self.changed.notify_waiters();
    }

    fn lock_failures(&self) -> MutexGuard<'_, VecDeque<Undelivered>> {
        self.failures.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn delivered(&self, opaque: Opaque) {
        self.metrics.delivered.inc();
        let latency = self.elapsed().saturating_sub(opaque.handed_over);
        let accounts = self.accounts.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(account) = accounts.get(usize::from(opaque.account)) {
            account.observe(latency.as_secs_f64());
        }
    }

    fn failed(&self, error: &KafkaError, message: OwnedMessage, account: u16) {
        let mut failures = self.lock_failures();
        if failures.is_empty() {
            warn!(%error, topic = message.topic(), "Kafka refused a delivery, trying again until it takes it");
        }
        self.failing.store(true, Ordering::Release);
        failures.push_back(Undelivered::new(message, account));
    }
}

/// A record whose delivery failed.
#[derive(Debug)]
pub(super) struct Undelivered {
    topic: String,
    key: Vec<u8>,
    payload: Vec<u8>,
    headers: OwnedHeaders,
    account: u16,
}

impl Undelivered {
    fn new(mut message: OwnedMessage, account: u16) -> Self {
        Self {
            headers: message.detach_headers().unwrap_or_default(),
            topic: message.topic().to_owned(),
            key: message.key().unwrap_or_default().to_vec(),
            payload: message.payload().unwrap_or_default().to_vec(),
            account,
        }
    }

    pub(super) fn outgoing(&self) -> Outgoing<'_> {
        let Self { topic, key, payload, headers, account } = self;
        Outgoing { topic, key, payload, headers, account: Account(*account) }
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
            Ok(_) => {
                self.deliveries.delivered(opaque);
                self.deliveries.settled();
            }
            Err((error, message)) => self.deliveries.failed(error, message.detach(), opaque.account),
        }
        self.deliveries.changed.notify_waiters();
    }
}

/// Makes an idempotent producer that reports to `deliveries`.
pub(super) fn producer(config: &KafkaConfig, deliveries: &Arc<Deliveries>) -> KafkaResult<Producer> {
    let mut client = client_config(config);
    client
        .set("enable.idempotence", "true")
        .set("acks", "all")
        // The same partition for a key as Java's producer chooses.
        .set("partitioner", "murmur2_random")
        // For ever: what was accepted is kept until Kafka takes it.
        .set("message.timeout.ms", "0")
        .set("message.max.bytes", super::topics::LARGEST_RECORD_BYTES.to_string())
        .set("compression.type", config.compression.as_str())
        .set("linger.ms", config.linger.as_millis().to_string())
        .set("queue.buffering.max.messages", config.queue_messages.to_string())
        .set("queue.buffering.max.kbytes", (config.queue_bytes / 1024).max(1).to_string());
    Producer::from_config_and_context(&client, Reports { deliveries: Arc::clone(deliveries) })
}

/// What rides along with a record: 16 bits of account, 48 bits of microseconds since the sink's start (8.9 years).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Opaque {
    account: u16,
    handed_over: Duration,
}

impl Opaque {
    const TIME_BITS: u32 = 48;

    pub(super) fn new(account: u16, handed_over: Duration) -> Self {
        Self { account, handed_over }
    }

    pub(super) fn pack(self) -> usize {
        let time = (self.handed_over.as_micros() as usize) & ((1 << Self::TIME_BITS) - 1);
        usize::from(self.account) << Self::TIME_BITS | time
    }

    fn unpack(packed: usize) -> Self {
        let time = packed & ((1 << Self::TIME_BITS) - 1);
        Self { account: (packed >> Self::TIME_BITS) as u16, handed_over: Duration::from_micros(time as u64) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_rides_along_survives_packing() {
        for opaque in [
            Opaque::new(0, Duration::ZERO),
            Opaque::new(7, Duration::from_micros(1)),
            Opaque::new(u16::MAX, Duration::from_micros((1 << Opaque::TIME_BITS) - 1)),
        ] {
            assert_eq!(Opaque::unpack(opaque.pack()), opaque);
        }
    }

    #[test]
    fn a_failure_holds_new_records_back_until_it_is_handed_over_again() {
        let deliveries = Deliveries::new(SinkMetrics::default());
        deliveries.handed_over();
        let message = OwnedMessage::new(
            Some(b"value".to_vec()),
            Some(b"key".to_vec()),
            "topic".to_owned(),
            rdkafka::Timestamp::NotAvailable,
            0,
            0,
            None,
        );
        deliveries.failed(&KafkaError::Canceled, message, 3);
        assert!(deliveries.has_failures());
        let failures = deliveries.take_failures();
        assert_eq!(failures.iter().map(|failure| failure.outgoing().payload).collect::<Vec<_>>(), [b"value"]);
        assert!(deliveries.has_failures(), "taken, but not yet handed over");
        deliveries.failures_handled();
        assert!(!deliveries.has_failures());
        assert_eq!(deliveries.in_flight(), 1, "it is still on its way");
    }
}
