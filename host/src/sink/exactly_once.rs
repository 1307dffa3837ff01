//! Records are gathered and written as transactions: a reader of committed records sees each of them once, together with
//! the positions that count it, whatever is killed.
//!
//! A record is accepted, and its position moves, under the lock that the end of a batch takes as well: so a batch and the
//! positions taken at its end agree exactly. A batch is kept until Kafka has committed it, while the next one fills; both
//! together hold no more than the queue's bounds.

use std::convert::Infallible;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Instant;

use anyhow::{Context as _, bail};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use tokio::sync::oneshot;
use tokio::time::timeout_at;
use tracing::info;

use super::deliveries::Deliveries;
use super::positions::CheckpointSource;
use super::topics::LARGEST_RECORD_BYTES;
use super::{FULL_QUEUE_PAUSE, Outgoing};
use crate::config::KafkaConfig;

mod batch;
mod transactor;

use batch::Batch;
use transactor::{End, Transactor};

/// What is gathered, and who commits it.
pub(super) struct ExactlyOnce {
    config: KafkaConfig,
    deliveries: Arc<Deliveries>,
    checkpoints: OnceLock<Arc<dyn CheckpointSource>>,
    gathering: Mutex<Batch>,
    /// Told when a batch is full.
    full: Condvar,
    opened: AtomicBool,
    stopping: Arc<AtomicBool>,
    transactor: Mutex<Transactor>,
}

impl ExactlyOnce {
    pub(super) fn new(config: &KafkaConfig, deliveries: &Arc<Deliveries>) -> anyhow::Result<Self> {
        Ok(Self {
            config: config.clone(),
            deliveries: Arc::clone(deliveries),
            checkpoints: OnceLock::new(),
            gathering: Mutex::default(),
            full: Condvar::new(),
            opened: AtomicBool::new(false),
            stopping: Arc::default(),
            transactor: Mutex::new(Transactor::new(config).context("[kafka] is not usable")?),
        })
    }

    pub(super) fn checkpoints(&self, source: Arc<dyn CheckpointSource>) {
        let _ = self.checkpoints.set(source);
    }

    pub(super) async fn open(self: &Arc<Self>) -> anyhow::Result<()> {
        if self.opened.load(Ordering::Acquire) {
            return Ok(());
        }
        let this = Arc::clone(self);
        let given_up = Arc::new(AtomicBool::new(false));
        let _give_up = RaiseOnDrop(&given_up);
        let asked = Arc::clone(&given_up);
        let opened = tokio::task::spawn_blocking(move || this.lock_transactor().open(&asked)).await?;
        match opened {
            Ok(()) => {
                info!(id = self.config.transactional_id, "Kafka's transactions are this host's");
                self.opened.store(true, Ordering::Release);
                Ok(())
            }
            Err(End::Stopped) => bail!("stopped before Kafka answered"),
            Err(End::Failed(error)) => Err(error),
        }
    }

    pub(super) async fn send(&self, record: &Outgoing<'_>, on_accepted: impl FnOnce()) -> Result<(), KafkaError> {
        if record.key.len() + record.payload.len() > LARGEST_RECORD_BYTES as usize {
            return Err(KafkaError::MessageProduction(RDKafkaErrorCode::MessageSizeTooLarge));
        }
        loop {
            let changed = self.deliveries.changed();
            {
                let mut gathering = self.gathering();
                if !self.is_full(&gathering) {
                    gathering.push(record, self.deliveries.handed_over(record.account.0));
                    on_accepted();
                    if self.is_full(&gathering) {
                        self.full.notify_all();
                    }
                    return Ok(());
                }
            }
            self.deliveries.waited();
            let _ = timeout_at(tokio::time::Instant::now() + FULL_QUEUE_PAUSE, changed).await;
        }
    }

    /// Half of the queue: the other half is the batch that is being committed.
    fn is_full(&self, batch: &Batch) -> bool {
        batch.len() as u64 >= u64::from(self.config.queue_messages / 2)
            || batch.bytes() as u64 >= self.config.queue_bytes / 2
    }

    /// Commits on a thread of its own, since librdkafka's transactions block.
    pub(super) async fn run(self: &Arc<Self>) -> anyhow::Result<Infallible> {
        let (ended, end) = oneshot::channel();
        let this = Arc::clone(self);
        let _stop = RaiseOnDrop(&self.stopping);
        self.stopping.store(false, Ordering::Release);
        std::thread::Builder::new().name("transactions".to_owned()).spawn(move || {
            // Nobody listens once the host stops.
            let _ = ended.send(this.commit_for_ever());
        })?;
        match end.await.context("the thread of Kafka's transactions ended")? {
            End::Failed(error) => Err(error),
            End::Stopped => bail!("stopped"),
        }
    }

    fn commit_for_ever(&self) -> End {
        let mut batch = Batch::default();
        loop {
            if !self.gather(&mut batch) {
                return End::Stopped;
            }
            if batch.is_empty() {
                continue;
            }
            // Sessions may fill the next one already.
            self.deliveries.wake();
            if let Err(end) = self.lock_transactor().commit(&batch, &self.stopping) {
                return end;
            }
            batch.drain(|opaque| self.deliveries.delivered(opaque));
            self.deliveries.wake();
        }
    }

    /// Waits until the id is this host's, and it is time to commit or the batch is full; exchanges it for an empty one. False if it is time to stop.
    fn gather(&self, batch: &mut Batch) -> bool {
        while !self.opened.load(Ordering::Acquire) && !self.stopping.load(Ordering::Acquire) {
            std::thread::sleep(FULL_QUEUE_PAUSE);
        }
        let due = Instant::now() + self.config.commit;
        let mut gathering = self.gathering();
        loop {
            if self.stopping.load(Ordering::Acquire) {
                return false;
            }
            let left = due.saturating_duration_since(Instant::now());
            if left.is_zero() || self.is_full(&gathering) {
                break;
            }
            gathering = self.full.wait_timeout(gathering, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        if let Some(source) = self.checkpoints.get() {
            for position in source.changed() {
                gathering.push_position(&position, &self.config, &self.deliveries);
            }
        }
        std::mem::swap(&mut *gathering, batch);
        true
    }

    fn gathering(&self) -> MutexGuard<'_, Batch> {
        self.gathering.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn lock_transactor(&self) -> MutexGuard<'_, Transactor> {
        self.transactor.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Lets a thread end when nobody waits for it any more.
struct RaiseOnDrop<'a>(&'a AtomicBool);

impl Drop for RaiseOnDrop<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Release);
    }
}
