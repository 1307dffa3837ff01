//! Delivery reports: what Kafka acknowledged, how long it took, and what is to be sent again.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError, RwLock};
use std::time::Duration;

use crossbeam_utils::CachePadded;
use prometheus_client::metrics::histogram::Histogram;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::{Message as _, OwnedHeaders, OwnedMessage};
use tokio::sync::Notify;
use tokio::time::Instant;
use tracing::warn;

use super::tally::{Epoch, Tally};
use super::{Account, Outgoing};
use crate::metrics::SinkMetrics;

/// Kafka's signs of life are noted no finer than this: a note that changes all the time slows both ends down.
const HEARD_GRAIN: Duration = Duration::from_millis(1);

/// Whoever hands a record over looks whether it is the only one on its way when Kafka said nothing for so long.
const QUIET: Duration = Duration::from_millis(100);

/// What is known of the records on their way.
#[derive(Debug)]
pub(super) struct Deliveries {
    start: Instant,
    tally: Tally,
    of_spool: AtomicU64,
    /// When Kafka last acknowledged anything, or was last given something while it had acknowledged everything; µs since
    /// the start.
    silent_since: CachePadded<AtomicU64>,
    /// Set from the first failed delivery until all failures are handed over again.
    failing: AtomicBool,
    /// Bounded by the producer's queue: a record is in one or the other.
    failures: Mutex<VecDeque<Undelivered>>,
    /// Told when a delivery fails.
    failed: Notify,
    accounts: RwLock<Vec<Histogram>>,
    changed: Notify,
    /// How many wait for a change: waking nobody is to cost nothing.
    waiting: CachePadded<AtomicUsize>,
    metrics: SinkMetrics,
}

/// One that waits for a change, from before it looks until it is dropped.
struct Waiting<'a>(&'a AtomicUsize);

impl<'a> Waiting<'a> {
    fn new(count: &'a AtomicUsize) -> Self {
        count.fetch_add(1, Ordering::SeqCst);
        Self(count)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

impl Deliveries {
    pub(super) fn new(metrics: SinkMetrics) -> Self {
        Self {
            start: Instant::now(),
            tally: metrics.in_flight.clone(),
            of_spool: AtomicU64::new(0),
            silent_since: CachePadded::default(),
            failing: AtomicBool::new(false),
            failures: Mutex::default(),
            failed: Notify::new(),
            accounts: RwLock::default(),
            changed: Notify::new(),
            waiting: CachePadded::default(),
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
        let waiting = Waiting::new(&self.waiting);
        let notified = self.changed.notified();
        async move {
            notified.await;
            drop(waiting);
        }
    }

    /// Resolves after the next delivery that fails.
    pub(super) fn next_failure(&self) -> impl Future<Output = ()> {
        self.failed.notified()
    }

    pub(super) fn elapsed(&self) -> Duration {
        self.start.elapsed()
    }

    pub(super) fn in_flight(&self) -> u64 {
        self.tally.in_flight()
    }

    /// Counts a record as on its way; returns what is to ride along with it.
    pub(super) fn handed_over(&self, account: u16) -> Opaque {
        let opaque = Opaque { account, epoch: self.tally.hand_over(), handed_over: self.elapsed() };
        if opaque.handed_over.saturating_sub(self.silent_since()) > QUIET && self.in_flight() == 1 {
            self.note_sign_of_life(opaque.handed_over);
        }
        if account == Account::SPOOL.0 {
            self.of_spool.fetch_add(1, Ordering::SeqCst);
        }
        opaque
    }

    /// A record is acknowledged, or was not taken at all.
    pub(super) fn settled(&self, opaque: Opaque) {
        if opaque.account == Account::SPOOL.0 {
            self.of_spool.fetch_sub(1, Ordering::SeqCst);
        }
        self.tally.settle(opaque.epoch);
    }

    /// Begins a new epoch; returns the one that ended. All of the one before that must have arrived.
    pub(super) fn begin_epoch(&self) -> Epoch {
        self.tally.begin_epoch()
    }

    /// Whether Kafka has everything that was handed over in an epoch.
    pub(super) fn arrived(&self, epoch: Epoch) -> bool {
        self.tally.arrived(epoch)
    }

    /// Records from the spool among those in flight.
    pub(super) fn of_spool(&self) -> u64 {
        self.of_spool.load(Ordering::SeqCst)
    }

    /// Whether records have been in flight for so long without Kafka acknowledging any.
    pub(super) fn is_silent(&self, time: Duration) -> bool {
        self.in_flight() > 0 && self.elapsed().saturating_sub(self.silent_since()) >= time
    }

    fn silent_since(&self) -> Duration {
        Duration::from_micros(self.silent_since.load(Ordering::Relaxed))
    }

    fn note_sign_of_life(&self, now: Duration) {
        if now.saturating_sub(self.silent_since()) >= HEARD_GRAIN {
            self.silent_since.store(now.as_micros() as u64, Ordering::Relaxed);
        }
    }

    /// A session had to wait since there was no room.
    pub(super) fn waited(&self) {
        self.metrics.waits.inc();
    }

    pub(super) fn has_failures(&self) -> bool {
        self.failing.load(Ordering::Acquire)
    }

    /// The producer takes no more records: holds new ones back until another has taken over.
    pub(super) fn producer_failed(&self) {
        self.failing.store(true, Ordering::Release);
        self.failed.notify_one();
    }

    pub(super) fn take_failures(&self) -> VecDeque<Undelivered> {
        let failures = std::mem::take(&mut *self.lock_failures());
        self.metrics.retried.inc_by(failures.len() as u64);
        failures
    }

    /// Gives back what was taken.
    pub(super) fn put_back(&self, failure: Undelivered) {
        self.lock_failures().push_back(failure);
    }

    pub(super) fn failure_count(&self) -> u64 {
        self.lock_failures().len() as u64
    }

    /// To be called when what was taken has been handed over again.
    pub(super) fn failures_handled(&self) {
        let failures = self.lock_failures();
        self.failing.store(!failures.is_empty(), Ordering::Release);
        drop(failures);
        self.wake();
    }

    fn lock_failures(&self) -> MutexGuard<'_, VecDeque<Undelivered>> {
        self.failures.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Kafka has acknowledged a record.
    pub(super) fn delivered(&self, opaque: Opaque) {
        self.metrics.delivered.inc();
        let now = self.elapsed();
        self.note_sign_of_life(now);
        let latency = now.saturating_sub(opaque.handed_over);
        let accounts = self.accounts.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(account) = accounts.get(usize::from(opaque.account)) {
            account.observe(latency.as_secs_f64());
        }
        drop(accounts);
        self.settled(opaque);
    }

    /// Wakes whoever waits for a change.
    pub(super) fn wake(&self) {
        if self.waiting.load(Ordering::SeqCst) > 0 {
            self.changed.notify_waiters();
        }
    }

    /// A delivery has failed; it is kept to be tried again.
    pub(super) fn failed(&self, error: &KafkaError, message: OwnedMessage, opaque: Opaque) {
        let mut failures = self.lock_failures();
        let taken_back =
            matches!(error.rdkafka_error_code(), Some(RDKafkaErrorCode::PurgeQueue | RDKafkaErrorCode::PurgeInflight));
        if failures.is_empty() && !taken_back {
            warn!(%error, topic = message.topic(), "Kafka refused a delivery, trying again until it takes it");
        }
        self.failing.store(true, Ordering::Release);
        failures.push_back(Undelivered::new(message, opaque));
        drop(failures);
        self.failed.notify_one();
    }
}

/// A record whose delivery failed.
#[derive(Debug)]
pub(super) struct Undelivered {
    topic: String,
    key: Vec<u8>,
    payload: Vec<u8>,
    headers: Option<OwnedHeaders>,
    pub(super) opaque: Opaque,
}

impl Undelivered {
    fn new(mut message: OwnedMessage, opaque: Opaque) -> Self {
        Self {
            headers: message.detach_headers(),
            topic: message.topic().to_owned(),
            key: message.key().unwrap_or_default().to_vec(),
            payload: message.payload().unwrap_or_default().to_vec(),
            opaque,
        }
    }

    pub(super) fn outgoing(&self) -> Outgoing<'_> {
        let Self { topic, key, payload, headers, opaque } = self;
        Outgoing { topic, key, payload, headers: headers.as_ref(), account: Account(opaque.account) }
    }
}

/// What rides along with a record: 16 bits of account, 1 bit of epoch, 47 bits of microseconds since the sink's start
/// (4.4 years).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Opaque {
    account: u16,
    epoch: Epoch,
    handed_over: Duration,
}

impl Opaque {
    const TIME_BITS: u32 = 47;

    pub(super) fn pack(self) -> usize {
        let time = (self.handed_over.as_micros() as usize) & ((1 << Self::TIME_BITS) - 1);
        (usize::from(self.account) << 1 | usize::from(self.epoch.0)) << Self::TIME_BITS | time
    }

    pub(super) fn unpack(packed: usize) -> Self {
        let time = packed & ((1 << Self::TIME_BITS) - 1);
        Self {
            account: (packed >> (Self::TIME_BITS + 1)) as u16,
            epoch: Epoch((packed >> Self::TIME_BITS & 1) as u8),
            handed_over: Duration::from_micros(time as u64),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_rides_along_survives_packing() {
        let opaque = |account, epoch, micros| Opaque {
            account,
            epoch: Epoch(epoch),
            handed_over: Duration::from_micros(micros),
        };
        for opaque in [
            opaque(0, 0, 0),
            opaque(0, 1, 0),
            opaque(7, 0, 1),
            opaque(u16::MAX, 1, (1 << Opaque::TIME_BITS) - 1),
            opaque(u16::MAX, 0, 0),
        ] {
            assert_eq!(Opaque::unpack(opaque.pack()), opaque);
        }
    }

    #[test]
    fn a_failure_holds_new_records_back_until_it_is_handed_over_again() {
        let deliveries = Deliveries::new(SinkMetrics::default());
        let opaque = deliveries.handed_over(3);
        let message = OwnedMessage::new(
            Some(b"value".to_vec()),
            Some(b"key".to_vec()),
            "topic".to_owned(),
            rdkafka::Timestamp::NotAvailable,
            0,
            0,
            None,
        );
        deliveries.failed(&KafkaError::Canceled, message, opaque);
        assert!(deliveries.has_failures());
        let failures = deliveries.take_failures();
        assert_eq!(failures.iter().map(|failure| failure.outgoing().payload).collect::<Vec<_>>(), [b"value"]);
        assert!(deliveries.has_failures(), "taken, but not yet handed over");
        deliveries.failures_handled();
        assert!(!deliveries.has_failures());
        assert_eq!(deliveries.in_flight(), 1, "it is still on its way");
    }
}
