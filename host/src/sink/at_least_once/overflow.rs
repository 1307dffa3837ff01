//! What does not fit into memory while Kafka is away goes through the spool, in order.
//!
//! Once a record is in the spool, all later ones go there too, until it is empty. Its last piece is handed over while new
//! records wait for a moment, or it would never be empty.

use std::fs::File;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rdkafka::message::OwnedHeaders;
use tokio::time::Instant;
use tracing::{error, info, warn};

use crate::config::SpoolConfig;
use crate::metrics::SinkMetrics;
use crate::session::chain;
use crate::sink::Outgoing;
use crate::sink::spool::{Segment, Spool, SpoolError, record};

/// How often what was spooled is synced: a loss of power costs what came since.
pub(super) const SYNC_PAUSE: Duration = Duration::from_millis(100);

/// For how long the spool must take everything until its refusal is over: a disk that has room for a moment is still full.
const CALM: Duration = Duration::from_secs(5);

/// The spool, and whether it is in the way.
pub(super) struct Overflow {
    state: Mutex<State>,
    /// Whether records go through the spool. Changed under the lock.
    active: AtomicBool,
    /// Whether there is a refusal that is not over. Changed under the lock.
    refuses: AtomicBool,
    folder: String,
    metrics: SinkMetrics,
}

struct State {
    spool: Spool,
    /// Whether its last piece is being handed over.
    closing: bool,
    /// Whether it was full since something was last removed: what is small enough to fit is not let past what is not.
    full: bool,
    /// The newest refusal that is not over.
    refused: Option<Instant>,
    /// Whether a record was taken since.
    taken: bool,
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
            refuses: AtomicBool::new(false),
            folder: config.folder.display().to_string(),
            state: Mutex::new(State { spool, closing: false, full: false, refused: None, taken: false }),
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
        self.lock().spool.is_empty()
    }

    /// Puts a record at the end, if the spool is in the way or `begin` says that it is to be from now on.
    pub(super) fn keep(&self, outgoing: &Outgoing<'_>, begin: bool) -> Kept {
        let mut state = self.lock();
        if !self.is_active() && !begin {
            return Kept::Direct;
        }
        if state.closing {
            return Kept::NotNow;
        }
        let appended = if state.full { Err(SpoolError::Full) } else { state.spool.append(&encode(outgoing)) };
        match appended {
            Ok(()) => {
                if !self.active.swap(true, Ordering::AcqRel) {
                    warn!(folder = self.folder, "Kafka is away and memory is full: records go to the spool");
                }
                state.taken = true;
                self.metrics.spooled.inc();
                Kept::Yes
            }
            Err(error) => {
                state.full = matches!(error, SpoolError::Full) && !state.spool.is_empty();
                self.refuse(&mut state, &error);
                Kept::NotNow
            }
        }
    }

    /// A record went to Kafka directly: a spool that took none is not needed any more.
    pub(super) fn passed_by(&self) {
        if !self.refuses.load(Ordering::Relaxed) {
            return;
        }
        let mut state = self.lock();
        if !self.is_active() && self.forgive(&mut state) {
            info!(folder = self.folder, "Kafka is back, and the spool, which took no more, is not needed");
        }
    }

    /// The oldest segment, and whether it is the last one: new records wait then, until `close` or `reopen`. None if the
    /// spool is empty: it is not in the way any more.
    pub(super) fn take_oldest(&self) -> Option<(Segment, bool)> {
        let mut state = self.lock();
        let last = state.spool.is_nearly_empty();
        let oldest = state.spool.oldest();
        match &oldest {
            None => self.step_aside(&mut state),
            Some(_) => state.closing = last,
        }
        oldest.map(|segment| (segment, last))
    }

    /// The last piece is handed over: records go to Kafka directly again, unless some have gone behind it meanwhile.
    pub(super) fn close(&self) {
        let mut state = self.lock();
        if std::mem::take(&mut state.closing) {
            self.step_aside(&mut state);
        }
    }

    /// Handing the last piece over takes longer: new records go behind it.
    pub(super) fn reopen(&self) {
        self.lock().closing = false;
    }

    /// Removes the oldest segment: Kafka has all of it.
    pub(super) fn remove_oldest(&self) {
        let mut state = self.lock();
        if let Err(error) = state.spool.remove_oldest() {
            error!(reason = chain(&error), "what is delivered stays in the spool: the next host delivers it again");
        }
        state.full = false;
        drop(state);
        self.count();
    }

    /// Gives to the disk what was gathered. Blocks.
    pub(super) fn sync(&self) -> bool {
        self.count();
        match self.flush() {
            Some(file) => file.is_none_or(|file| {
                file.sync_data().inspect_err(|error| error!(%error, "the spool is not synced")).is_ok()
            }),
            None => false,
        }
    }

    /// Writes what was gathered; returns the file that is to be synced. None if the disk does not take it.
    fn flush(&self) -> Option<Option<Arc<File>>> {
        let mut state = self.lock();
        match state.spool.flush() {
            Ok(file) => {
                let calm = state.taken && state.refused.is_some_and(|refused| refused.elapsed() >= CALM);
                if calm && self.forgive(&mut state) {
                    info!(folder = self.folder, "the spool takes records again");
                }
                Some(file)
            }
            Err(error) => {
                self.refuse(&mut state, &error);
                None
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
            self.lock().spool.prepend(first.iter().map(Vec::as_slice))?;
        }
        for outgoing in last {
            self.lock().spool.append(&encode(&outgoing))?;
        }
        let flushed = self.lock().spool.flush();
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
        let state = self.lock();
        let records = state.spool.records();
        self.metrics.spool_records.set(records.cast_signed());
        self.metrics.spool_bytes.set(state.spool.bytes().cast_signed());
        records
    }

    fn step_aside(&self, state: &mut State) {
        if self.active.swap(false, Ordering::AcqRel) {
            self.forgive(state);
            info!("Kafka is back and the spool is handed over: records go to Kafka directly");
        }
    }

    /// A refusal is said once, however often it is met.
    fn refuse(&self, state: &mut State, error: &SpoolError) {
        state.taken = false;
        if state.refused.replace(Instant::now()).is_none() {
            self.refuses.store(true, Ordering::Release);
            let reason = chain(error);
            error!(reason, folder = self.folder, "the spool takes no more: sessions stop reading until Kafka is back");
        }
    }

    /// Forgets the refusal; false if there is none.
    fn forgive(&self, state: &mut State) -> bool {
        self.refuses.store(false, Ordering::Release);
        state.refused.take().is_some()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
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

#[cfg(test)]
mod tests;
