//! The capture's queue, and the thread behind it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use anyhow::Context as _;

use super::header::SegmentHeader;
use crate::config::CaptureConfig;
use crate::frames::FrameBatch;
use crate::metrics::CaptureMetrics;

mod writer;

use writer::Writer;

/// Bytes of frames that may wait to be written. When they are full, batches are left out of the capture, and the next that
/// finds room says how many frames are missing: a session never waits for the disk.
const QUEUE_BYTES: usize = 64 << 20;

/// Batches that may wait to be written; when they are full, as above.
const QUEUE_BATCHES: usize = 8192;

/// How long a batch may wait for others before its block is written.
const FLUSH: Duration = Duration::from_secs(1);

/// A capture in the making.
#[derive(Debug)]
pub struct Recorder {
    streams: Streams,
    thread: JoinHandle<()>,
}

/// Opens streams of a capture; cheap to clone.
#[derive(Clone, Debug)]
pub struct Streams {
    sender: SyncSender<Message>,
    queued: Arc<AtomicUsize>,
    opened: Arc<AtomicU32>,
    metrics: CaptureMetrics,
}

/// What a stream's segments have in common.
#[derive(Debug)]
struct StreamInfo {
    /// Number among those of this process, from 1.
    number: u32,
    /// The header of its segments, but for number and time.
    header: SegmentHeader,
}

enum Message {
    /// Frames, and how many before them found no room.
    Frames { info: Arc<StreamInfo>, connection: u32, received_at_us: i64, batch: FrameBatch, lost: u64 },
    /// Write what there is, and end.
    Stop,
}

impl Recorder {
    /// Starts the thread. A folder that cannot be written is warned of, and tried again: nothing waits for it.
    ///
    /// # Errors
    /// The system gives no thread.
    pub fn start(config: &CaptureConfig, metrics: CaptureMetrics) -> anyhow::Result<Self> {
        let (sender, receiver) = sync_channel(QUEUE_BATCHES);
        let queued = Arc::new(AtomicUsize::new(0));
        let writer = Writer::new(config, metrics.clone());
        let waiting = Arc::clone(&queued);
        let thread = thread::Builder::new()
            .name("capture".to_owned())
            .spawn(move || write_all(&receiver, &waiting, writer))
            .context("no thread for the capture")?;
        Ok(Self { streams: Streams { sender, queued, opened: Arc::default(), metrics }, thread })
    }

    /// What opens streams.
    pub fn streams(&self) -> Streams {
        self.streams.clone()
    }

    /// Writes what waits, and ends the thread. To be called when the sessions have ended. Blocks.
    pub fn finish(self) {
        // A writer that died has said so already.
        let _ = self.streams.sender.send(Message::Stop);
        let _ = self.thread.join();
    }
}

impl Streams {
    /// Opens a stream for the connections of one handler. Number, stream and time in the header are set here.
    pub fn open(&self, mut header: SegmentHeader) -> CaptureStream {
        let number = self.opened.fetch_add(1, Ordering::Relaxed) + 1;
        header.stream = format!("{}-{}-{number}", header.started_at_us, std::process::id());
        CaptureStream {
            info: Arc::new(StreamInfo { number, header }),
            sender: self.sender.clone(),
            queued: Arc::clone(&self.queued),
            metrics: self.metrics.clone(),
            connection: 0,
            lost: 0,
        }
    }
}

/// One handler's way into the capture.
#[derive(Debug)]
pub struct CaptureStream {
    info: Arc<StreamInfo>,
    sender: SyncSender<Message>,
    queued: Arc<AtomicUsize>,
    metrics: CaptureMetrics,
    connection: u32,
    lost: u64,
}

impl CaptureStream {
    /// A connection was opened, with a new instance of the plugin.
    pub fn opened(&mut self) {
        self.connection += 1;
    }

    /// Hands a batch over, or counts its frames as lost to the capture if there is no room. Never waits.
    pub fn record(&mut self, batch: &FrameBatch, received_at_us: i64) {
        let bytes = size(batch);
        if self.queued.fetch_add(bytes, Ordering::AcqRel) + bytes <= QUEUE_BYTES {
            let message = Message::Frames {
                info: Arc::clone(&self.info),
                connection: self.connection,
                received_at_us,
                batch: batch.clone(),
                lost: self.lost,
            };
            if self.sender.try_send(message).is_ok() {
                self.lost = 0;
                return;
            }
        }
        self.queued.fetch_sub(bytes, Ordering::AcqRel);
        self.lost += batch.len() as u64;
        self.metrics.lost_frames.inc_by(batch.len() as u64);
    }
}

fn size(batch: &FrameBatch) -> usize {
    batch.bytes().len() + size_of_val(batch.ends())
}

fn write_all(receiver: &Receiver<Message>, queued: &AtomicUsize, mut writer: Writer) {
    loop {
        match receiver.recv_timeout(FLUSH / 4) {
            Ok(Message::Frames { info, connection, received_at_us, batch, lost }) => {
                writer.write(&info, connection, received_at_us, &batch, lost);
                queued.fetch_sub(size(&batch), Ordering::AcqRel);
            }
            Ok(Message::Stop) | Err(RecvTimeoutError::Disconnected) => break,
            Err(RecvTimeoutError::Timeout) => {}
        }
        writer.tick(FLUSH);
    }
    writer.finish();
}

#[cfg(test)]
mod tests;
