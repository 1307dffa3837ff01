//! Each record is handed to an idempotent producer at once, and again until Kafka has it.
//!
//! A delivery that fails is tried again until Kafka takes it; while any such record waits, new ones wait behind it. Where
//! there is a spool, it takes over once Kafka is away and the queue is full.

use std::convert::Infallible;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock, PoisonError, RwLock};
use std::time::Duration;

use anyhow::Context as _;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::OwnedHeaders;
use tokio::sync::Mutex;
use tokio::time::{Instant, timeout_at};
use tracing::{error, info, warn};

use super::deliveries::{Deliveries, Opaque, Undelivered};
use super::positions::{self, CheckpointRecord, CheckpointSource};
use super::producer::{Producer, Producers};
use super::spool::record::SpooledRecord;
use super::spool::{self, Segment};
use super::topics::LARGEST_RECORD_BYTES;
use super::{Account, FULL_QUEUE_PAUSE, Outgoing, blocking, wait_until};
use crate::config::{KafkaConfig, SpoolConfig};
use crate::metrics::SinkMetrics;

mod overflow;

use overflow::{Kept, Overflow, SYNC_PAUSE};

/// Pause between two attempts to deliver what failed.
const RETRY_PAUSE: Duration = Duration::from_secs(1);

/// Pause between two checkpoints.
const CHECKPOINT_PAUSE: Duration = Duration::from_secs(1);

/// Kafka is away when a full queue has moved for so long by no record at all.
const SILENCE: Duration = Duration::from_secs(1);

/// The producer, and what it needs to go on for ever.
pub(super) struct AtLeastOnce {
    positions_topic: String,
    deliveries: Arc<Deliveries>,
    producers: Producers,
    producer: RwLock<Producer>,
    checkpoints: OnceLock<Arc<dyn CheckpointSource>>,
    checkpoint_headers: OwnedHeaders,
    /// One checkpoint at a time: there are no more than two epochs.
    checkpointing: Mutex<()>,
    overflow: Option<Arc<Overflow>>,
    /// Whether Kafka has the topics, so that what is in the spool may go there.
    opened: AtomicBool,
    /// Set when the host ends and Kafka does not take what is left.
    ending: AtomicBool,
}

impl AtLeastOnce {
    pub(super) fn new(
        config: &KafkaConfig,
        producers: Producers,
        spool: Option<&SpoolConfig>,
        deliveries: &Arc<Deliveries>,
        metrics: &SinkMetrics,
    ) -> anyhow::Result<Self> {
        let overflow = spool.map(|spool| Overflow::open(spool, metrics.clone())).transpose()?;
        let producer = producers.make().context("[kafka] is not usable")?;
        Ok(Self {
            positions_topic: config.positions_topic(),
            deliveries: Arc::clone(deliveries),
            producers,
            producer: RwLock::new(producer),
            checkpoints: OnceLock::new(),
            checkpoint_headers: positions::headers(),
            checkpointing: Mutex::new(()),
            overflow: overflow.map(Arc::new),
            opened: AtomicBool::new(false),
            ending: AtomicBool::new(false),
        })
    }

    pub(super) fn checkpoints(&self, source: Arc<dyn CheckpointSource>) {
        let _ = self.checkpoints.set(source);
    }

    pub(super) async fn send(&self, record: &Outgoing<'_>, on_accepted: impl FnOnce()) -> Result<(), KafkaError> {
        if record.key.len() + record.payload.len() > LARGEST_RECORD_BYTES as usize {
            return Err(KafkaError::MessageProduction(RDKafkaErrorCode::MessageSizeTooLarge));
        }
        let opaque = self.deliveries.handed_over(record.account.0);
        let mut begin_spool = false;
        // Nearly always there is room: waiting is prepared only when there was none, and then it is looked once more.
        let mut waiting = None;
        loop {
            let kept = match &self.overflow {
                Some(overflow) if begin_spool || overflow.is_active() => overflow.keep(record, begin_spool),
                _ => Kept::Direct,
            };
            match kept {
                Kept::Yes => {
                    // From here on the spool counts it.
                    self.deliveries.settled(opaque);
                    on_accepted();
                    return Ok(());
                }
                Kept::Direct if !self.deliveries.has_failures() => match self.try_send(record, opaque) {
                    Ok(()) => {
                        self.overflow.as_ref().inspect(|overflow| overflow.passed_by());
                        on_accepted();
                        return Ok(());
                    }
                    Err(KafkaError::MessageProduction(RDKafkaErrorCode::QueueFull)) => {}
                    Err(KafkaError::MessageProduction(RDKafkaErrorCode::Fatal)) => self.deliveries.producer_failed(),
                    Err(error) => {
                        self.deliveries.settled(opaque);
                        return Err(error);
                    }
                },
                Kept::Direct | Kept::NotNow => {}
            }
            let Some(changed) = waiting.replace(self.deliveries.changed()) else { continue };
            self.deliveries.waited();
            begin_spool = self.overflow.is_some() && self.deliveries.is_silent(SILENCE);
            if !begin_spool || matches!(kept, Kept::NotNow) {
                let _ = timeout_at(Instant::now() + FULL_QUEUE_PAUSE, changed).await;
            }
        }
    }

    fn try_send(&self, record: &Outgoing<'_>, opaque: Opaque) -> Result<(), KafkaError> {
        self.with_producer(|producer| producer.send(record, opaque))
    }

    pub(super) async fn run(&self) -> anyhow::Result<Infallible> {
        tokio::select! {
            biased;
            never = self.redeliver() => match never {},
            never = self.write_checkpoints() => match never {},
            never = self.empty_spool() => match never {},
            never = self.sync_spool() => match never {},
        }
    }

    /// Waits until what an earlier host left in the spool is in Kafka.
    pub(super) async fn open(&self) {
        self.opened.store(true, Ordering::Release);
        if let Some(overflow) = &self.overflow {
            wait_until(&self.deliveries, None, || overflow.is_empty()).await;
        }
    }

    async fn sync_spool(&self) -> Infallible {
        loop {
            tokio::time::sleep(SYNC_PAUSE).await;
            if let Some(overflow) = self.overflow.clone().filter(|overflow| overflow.is_active()) {
                let _ = blocking(move || overflow.sync()).await;
            }
        }
    }

    /// Hands over what is in the spool, segment by segment, whenever Kafka takes it.
    async fn empty_spool(&self) -> Infallible {
        loop {
            let oldest = self.overflow.as_ref().filter(|_| self.may_work()).and_then(|overflow| overflow.take_oldest());
            match (oldest, &self.overflow) {
                (Some((segment, last)), Some(overflow)) => self.deliver_segment(overflow, segment, last).await,
                _ => tokio::time::sleep(SYNC_PAUSE).await,
            }
        }
    }

    async fn deliver_segment(&self, overflow: &Overflow, segment: Segment, last: bool) {
        let records = match blocking(move || segment.read()).await.map_err(anyhow::Error::from) {
            Ok(Ok(records)) => records,
            Ok(Err(error)) => return self.cannot_read(overflow, &error.into()).await,
            Err(error) => return self.cannot_read(overflow, &error).await,
        };
        for bytes in records {
            let Some(spooled) = spool::record::decode(&bytes) else {
                error!(bytes = bytes.len(), "a record in the spool is none, though its checksum is right: it is lost");
                continue;
            };
            let SpooledRecord { topic, key, payload, headers } = &spooled;
            let record = Outgoing { topic, key, payload, headers: headers.as_ref(), account: Account::SPOOL };
            if !self.deliver_spooled(overflow, &record).await {
                return;
            }
        }
        if last {
            overflow.close();
            self.deliveries.wake();
        }
        // It stays on disk until Kafka has all of it.
        if wait_until(&self.deliveries, None, || self.deliveries.of_spool() == 0 || !self.may_work()).await
            && self.may_work()
        {
            overflow.remove_oldest();
            self.deliveries.wake();
        }
    }

    /// False if the host ends.
    async fn deliver_spooled(&self, overflow: &Overflow, record: &Outgoing<'_>) -> bool {
        let opaque = self.deliveries.handed_over(record.account.0);
        while self.may_work() {
            let changed = self.deliveries.changed();
            if !self.deliveries.has_failures() {
                match self.try_send(record, opaque) {
                    Ok(()) => return true,
                    Err(KafkaError::MessageProduction(RDKafkaErrorCode::QueueFull)) => {}
                    Err(KafkaError::MessageProduction(RDKafkaErrorCode::Fatal)) => self.deliveries.producer_failed(),
                    Err(error) => {
                        error!(topic = record.topic, %error, "Kafka can never take this record: it is lost");
                        self.deliveries.settled(opaque);
                        return true;
                    }
                }
            }
            overflow.reopen();
            let _ = timeout_at(Instant::now() + FULL_QUEUE_PAUSE, changed).await;
        }
        self.deliveries.settled(opaque);
        false
    }

    async fn cannot_read(&self, overflow: &Overflow, error: &anyhow::Error) {
        overflow.reopen();
        error!(reason = format!("{error:#}"), "a segment of the spool cannot be read, trying again");
        tokio::time::sleep(RETRY_PAUSE).await;
    }

    /// Whether anything may be handed to the producer besides what is sent.
    fn may_work(&self) -> bool {
        self.opened.load(Ordering::Acquire) && !self.ending.load(Ordering::Acquire)
    }

    async fn write_checkpoints(&self) -> Infallible {
        loop {
            tokio::time::sleep(CHECKPOINT_PAUSE).await;
            self.checkpoint(None).await;
        }
    }

    /// Writes the positions that changed, once Kafka has everything that they count. False if it has not by `deadline`.
    async fn checkpoint(&self, deadline: Option<Instant>) -> bool {
        let Some(source) = self.checkpoints.get() else { return true };
        let _alone = self.checkpointing.lock().await;
        let positions = source.changed();
        if positions.is_empty() {
            return true;
        }
        // In this order: what the positions count was handed over in the epoch that ends now.
        let ended = self.deliveries.begin_epoch();
        if !wait_until(&self.deliveries, deadline, || self.deliveries.arrived(ended) && self.spool_is_empty()).await {
            return false;
        }
        for position in positions {
            let record = self.position_record(&position);
            if let Err(error) = self.send(&record, || ()).await {
                let key = String::from_utf8_lossy(&position.key);
                error!(%key, %error, "Kafka can never take this position: a host that starts again goes on from an older one");
            }
        }
        true
    }

    /// Delivers again what failed, for ever.
    async fn redeliver(&self) -> Infallible {
        loop {
            if !self.deliveries.has_failures() || self.ending.load(Ordering::Acquire) {
                self.deliveries.next_failure().await;
                continue;
            }
            tokio::time::sleep(RETRY_PAUSE).await;
            if self.ending.load(Ordering::Acquire) {
                continue;
            }
            self.replace_failed_producer().await;
            let failures = self.deliveries.take_failures();
            let count = failures.len();
            for failure in failures {
                self.deliver_again(failure).await;
            }
            self.deliveries.failures_handled();
            info!(records = count, "handed records to Kafka again after a failed delivery");
        }
    }

    async fn deliver_again(&self, failure: Undelivered) {
        let (record, opaque) = (failure.outgoing(), failure.opaque);
        loop {
            if self.ending.load(Ordering::Acquire) {
                return self.deliveries.put_back(failure);
            }
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
                    return self.deliveries.settled(opaque);
                }
                Ok(()) => return,
            }
        }
    }

    /// An idempotent producer that lost its place in the sequence never recovers: a new one takes over. What the old one
    /// still held comes back as failed deliveries.
    async fn replace_failed_producer(&self) {
        let Some((code, reason)) = self.with_producer(Producer::fatal_error) else { return };
        warn!(%code, reason, "Kafka's producer cannot go on, a new one takes over");
        let fresh = match self.producers.make() {
            Ok(fresh) => fresh,
            Err(error) => return error!(%error, "a new producer could not be made, trying again"),
        };
        let old = {
            let mut producer = self.producer.write().unwrap_or_else(PoisonError::into_inner);
            std::mem::replace(&mut *producer, fresh)
        };
        // Dropping waits for its thread and reports everything in its queue as failed.
        let _ = blocking(move || drop(old)).await;
    }

    fn with_producer<T>(&self, read: impl FnOnce(&Producer) -> T) -> T {
        read(&self.producer.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Where there is a spool, it takes what Kafka does not.
    pub(super) async fn drain(&self, deadline: Instant) {
        // Records that linger for company need not any more.
        let producer = self.with_producer(Clone::clone);
        let _ = blocking(move || producer.flush(Duration::ZERO)).await;
        let done = || self.deliveries.in_flight() == 0 && self.spool_is_empty();
        let hopeless = || self.overflow.is_some() && self.deliveries.is_silent(2 * SILENCE);
        wait_until(&self.deliveries, Some(deadline), || done() || hopeless()).await;
        if done() && self.checkpoint(Some(deadline)).await {
            wait_until(&self.deliveries, Some(deadline), || done() || hopeless()).await;
        }
        if let Some(overflow) = self.overflow.clone().filter(|_| !done()) {
            self.keep_in_spool(overflow).await;
        }
    }

    fn spool_is_empty(&self) -> bool {
        self.overflow.as_ref().is_none_or(|overflow| overflow.is_empty())
    }

    /// Takes back what the producer holds and keeps it before what the spool holds; behind that come the last positions.
    async fn keep_in_spool(&self, overflow: Arc<Overflow>) {
        self.ending.store(true, Ordering::Release);
        let producer = self.with_producer(Clone::clone);
        let purged = blocking(move || {
            producer.purge();
            producer.flush(Duration::from_secs(1));
        });
        let _ = purged.await;
        // Redelivery gives back what it holds within its pause.
        let back = || self.deliveries.in_flight() == self.deliveries.failure_count();
        wait_until(&self.deliveries, Some(Instant::now() + 2 * RETRY_PAUSE), back).await;

        let failures = self.deliveries.take_failures();
        let positions = self.checkpoints.get().map(|source| source.changed()).unwrap_or_default();
        let last = positions.iter().map(|position| self.position_record(position));
        // What came from the spool is still there.
        let first = failures.iter().map(Undelivered::outgoing).filter(|record| record.account != Account::SPOOL);
        match overflow.keep_at_the_end(first, last) {
            Ok(()) => failures.iter().for_each(|failure| self.deliveries.settled(failure.opaque)),
            Err(error) => {
                error!(reason = crate::session::chain(&error), "the spool does not take what Kafka did not take")
            }
        }
    }

    fn position_record<'a>(&'a self, position: &'a CheckpointRecord) -> Outgoing<'a> {
        Outgoing {
            topic: &self.positions_topic,
            key: &position.key,
            payload: &position.payload,
            headers: Some(&self.checkpoint_headers),
            account: Account::NONE,
        }
    }
}
