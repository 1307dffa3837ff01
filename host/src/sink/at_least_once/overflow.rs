//! What does not fit into memory while Kafka is away goes through the spool, in order.
//!
//! Once a record is in the spool, all later ones go there too, until it is empty. Its last piece is handed over while new
//! records wait for a moment, or it would never be empty.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rdkafka::message::OwnedHeaders;
use tracing::{error, info, warn};

use crate::config::SpoolConfig;
use crate::metrics::SinkMetrics;
use crate::session::chain;
use crate::sink::Outgoing;
use crate::sink::spool::{Segment, Spool, SpoolError, record};

/// How often what was spooled is synced: a loss of power costs what came since.
pub(super) const SYNC_PAUSE: Duration = Duration::from_millis(100);

/// The spool, and whether it is in the way.
pub(super) struct Overflow {
    spool: Mutex<Spool>,
    /// Whether records go through the spool. Changed under its lock.
    active: AtomicBool,
    /// Whether its last piece is being handed over. Changed under the spool's lock.
    closing: AtomicBool,
    /// Whether the disk's refusal has been said.
    refused: AtomicBool,
    folder: String,
    metrics: SinkMetrics,
}

/// What became of a record.
pub(super) enum Kept {
    /// It is in the spool.
    Yes,
    /// There is no room, now.
    NotNow,
    /// It is not to go through the spool.
    Direct,
}

impl Overflow {
    pub(super) fn open(config: &SpoolConfig, metrics: SinkMetrics) -> Result<Self, SpoolError> {
        let spool = Spool::open(&config.folder, config.max_bytes)?;
        let overflow = Self {
            active: AtomicBool::new(!spool.is_empty()),
            closing: AtomicBool::new(false),
            refused: AtomicBool::new(false),
            folder: config.folder.display().to_string(),
            spool: Mutex::new(spool),
            metrics,
        };
        let left = overflow.count();
        if left > 0 {
            info!(records = left, folder = overflow.folder, "the spool holds records; they go to Kafka first");
        }
        Ok(overflow)
    }

    /// Whether records go through the spool.
    pub(super) fn is_active(&self) -> bool {
        self.active.load(Ordering::Acquire)
    }

    /// Whether everything that was ever in the spool is delivered.
    pub(super) fn is_empty(&self) -> bool {
        self.lock().is_empty()
    }

    /// Puts a record at the end, if the spool is in the way or `begin` says that it is to be from now on.
    pub(super) fn keep(&self, outgoing: &Outgoing<'_>, begin: bool) -> Kept {
        let mut spool = self.lock();
        if !self.is_active() {
            if !begin {
                return Kept::Direct;
            }
            warn!(folder = self.folder, "Kafka is away and memory is full: records go to the spool");
        }
        if self.closing.load(Ordering::Acquire) {
            return Kept::NotNow;
        }
        match spool.append(&encode(outgoing)) {
            Ok(()) => {
                self.active.store(true, Ordering::Release);
                self.metrics.spooled.inc();
                Kept::Yes
            }
            Err(error) => {
                self.say(&error);
                Kept::NotNow
            }
        }
    }

    /// The oldest segment, and whether it is the last one: new records wait then, until `close` or `reopen`. None if the
    /// spool is empty: it is not in the way any more.
    pub(super) fn take_oldest(&self) -> Option<(Segment, bool)> {
        let mut spool = self.lock();
        let last = spool.is_nearly_empty();
        let oldest = spool.oldest();
        match &oldest {
            None => self.active.store(false, Ordering::Release),
            Some(_) => self.closing.store(last, Ordering::Release),
        }
        oldest.map(|segment| (segment, last))
    }

    /// The last piece is handed over: records go to Kafka directly again.
    pub(super) fn close(&self) {
        let _spool = self.lock();
        self.active.store(false, Ordering::Release);
        self.closing.store(false, Ordering::Release);
        info!("Kafka is back and the spool is handed over: records go to Kafka directly");
    }

    /// Handing the last piece over takes longer: new records go behind it.
    pub(super) fn reopen(&self) {
        let _spool = self.lock();
        self.closing.store(false, Ordering::Release);
    }

    /// Removes the oldest segment: Kafka has all of it.
    pub(super) fn remove_oldest(&self) {
        if let Err(error) = self.lock().remove_oldest() {
            error!(reason = chain(&error), "what is delivered stays in the spool: the next host delivers it again");
        }
        self.count();
    }

    /// Gives to the disk what was gathered. Blocks.
    pub(super) fn sync(&self) -> bool {
        self.count();
        let flushed = self.lock().flush();
        match flushed {
            Ok(file) => {
                if self.refused.swap(false, Ordering::AcqRel) {
                    info!(folder = self.folder, "the spool takes records again");
                }
                file.is_none_or(|file| {
                    file.sync_data().inspect_err(|error| error!(%error, "the spool is not synced")).is_ok()
                })
            }
            Err(error) => {
                self.say(&error);
                false
            }
        }
    }

    /// Keeps these before all others, and those behind all others: the host ends. Blocks.
    pub(super) fn keep_at_the_end<'a>(
        &self,
        first: impl Iterator<Item = Outgoing<'a>>,
        last: impl Iterator<Item = Outgoing<'a>>,
    ) -> Result<(), SpoolError> {
        let first: Vec<Vec<u8>> = first.map(|outgoing| encode(&outgoing)).collect();
        if !first.is_empty() {
            self.lock().prepend(first.iter().map(Vec::as_slice))?;
        }
        for outgoing in last {
            self.lock().append(&encode(&outgoing))?;
        }
        let flushed = self.lock().flush();
        if let Some(file) = flushed?
            && let Err(error) = file.sync_data()
        {
            error!(%error, "the spool is not synced");
        }
        info!(
            records = self.count(),
            folder = self.folder,
            "what Kafka did not take is safe in the spool; the next host that starts with it delivers it"
        );
        Ok(())
    }

    /// Sets the figures; returns how many records there are.
    pub(super) fn count(&self) -> u64 {
        let spool = self.lock();
        let records = spool.records();
        self.metrics.spool_records.set(records.cast_signed());
        self.metrics.spool_bytes.set(spool.bytes().cast_signed());
        records
    }

    fn say(&self, error: &SpoolError) {
        if !self.refused.swap(true, Ordering::AcqRel) {
            let reason = chain(error);
            error!(reason, folder = self.folder, "the spool takes no more: sessions stop reading until Kafka is back");
        }
    }

    fn lock(&self) -> MutexGuard<'_, Spool> {
        self.spool.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn encode(outgoing: &Outgoing<'_>) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(outgoing.payload.len() + outgoing.key.len() + 200);
    record::encode(
        outgoing.topic,
        outgoing.key,
        outgoing.payload,
        outgoing.headers.map(OwnedHeaders::as_borrowed),
        &mut bytes,
    );
    bytes
}
