//! What the capture's thread does: blocks into segments, segments into the folder's bound.

use std::collections::HashMap;
use std::io;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::PathBuf;
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use tracing::{info, warn};

use super::StreamInfo;
use crate::capture::block::{Block, ENOUGH};
use crate::capture::header::SegmentHeader;
use crate::capture::segment::Segment;
use crate::capture::shelf::{EXTENSION, Shelf};
use crate::config::CaptureConfig;
use crate::frames::FrameBatch;
use crate::metrics::CaptureMetrics;

/// First and longest pause after an error of the disk.
const PAUSE: Duration = Duration::from_secs(2);
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// How often it is looked whether blocks are due.
const LOOK: Duration = Duration::from_millis(200);

/// Writes the streams.
pub(super) struct Writer {
    config: CaptureConfig,
    metrics: CaptureMetrics,
    streams: HashMap<u32, Stream>,
    /// None until the folder could be read.
    shelf: Option<Shelf>,
    /// After an error of the disk: when to try again, and the pause after that.
    failed: Option<(Instant, Duration)>,
    looked: Instant,
}

struct Stream {
    /// Dead once its handler is gone and nothing of it waits.
    info: Weak<StreamInfo>,
    number: u32,
    header: SegmentHeader,
    segment: Option<Segment>,
    sequence: u32,
    block: Block,
    /// When the block's first batch came.
    since: Instant,
    /// Frames that were lost since the last block that says so.
    lost: u64,
}

impl Writer {
    pub(super) fn new(config: &CaptureConfig, metrics: CaptureMetrics) -> Self {
        let config = config.clone();
        Self { config, metrics, streams: HashMap::new(), shelf: None, failed: None, looked: Instant::now() }
    }

    /// Takes a batch, and the number of frames that found no room before it.
    pub(super) fn write(
        &mut self,
        info: &Arc<StreamInfo>,
        connection: u32,
        received_at_us: i64,
        batch: &FrameBatch,
        lost: u64,
    ) {
        let stream = self.streams.entry(info.number).or_insert_with(|| Stream {
            info: Arc::downgrade(info),
            number: info.number,
            header: info.header.clone(),
            segment: None,
            sequence: 0,
            block: Block::default(),
            since: Instant::now(),
            lost: 0,
        });
        stream.lost += lost;
        if stream.block.is_empty() {
            stream.since = Instant::now();
        }
        if stream.lost > 0 {
            stream.block.push_lost(std::mem::take(&mut stream.lost), received_at_us);
        }
        stream.block.push_frames(connection, received_at_us, batch);
        if stream.block.len() >= ENOUGH {
            self.flush(info.number);
        }
    }

    /// Writes blocks that are older than `flush`, and closes streams whose handler is gone.
    pub(super) fn tick(&mut self, flush: Duration) {
        if self.looked.elapsed() < LOOK.min(flush) {
            return;
        }
        self.looked = Instant::now();
        let numbers: Vec<u32> = self.streams.keys().copied().collect();
        for number in numbers {
            let Some(stream) = self.streams.get(&number) else { continue };
            let is_over = stream.info.strong_count() == 0;
            if is_over {
                self.end(number);
            } else if stream.since.elapsed() >= flush {
                self.flush(number);
            }
        }
    }

    /// Writes everything, and how much is missing: whatever pause there is ends here.
    pub(super) fn finish(mut self) {
        self.failed = self.failed.map(|(_, pause)| (Instant::now(), pause));
        let numbers: Vec<u32> = self.streams.keys().copied().collect();
        numbers.into_iter().for_each(|number| self.end(number));
    }

    /// Writes what is left of a stream, and how much is missing at its end.
    fn end(&mut self, number: u32) {
        if let Some(stream) = self.streams.get_mut(&number).filter(|stream| stream.lost > 0) {
            stream.block.push_lost(std::mem::take(&mut stream.lost), Timestamp::now().as_microsecond());
        }
        self.flush(number);
        if let Some(stream) = self.streams.remove(&number) {
            self.close(stream.segment);
        }
    }

    fn flush(&mut self, number: u32) {
        let Some(mut stream) = self.streams.remove(&number) else { return };
        if !stream.block.is_empty() {
            let written = match self.failed {
                Some((again, _)) if Instant::now() < again => Err(None),
                _ => self.append(&mut stream).map_err(Some),
            };
            match written {
                Ok(()) => {
                    self.metrics.frames.inc_by(stream.block.frames);
                    if self.failed.take().is_some() {
                        info!(folder = %self.config.folder.display(), "the capture can be written again");
                    }
                }
                Err(error) => {
                    self.metrics.lost_frames.inc_by(stream.block.frames);
                    stream.lost += stream.block.frames + stream.block.lost;
                    if let Some(error) = error {
                        self.end_segment(&mut stream);
                        self.fail(&error);
                    }
                }
            }
            stream.block.clear();
        }
        self.streams.insert(number, stream);
    }

    fn append(&mut self, stream: &mut Stream) -> io::Result<()> {
        // A segment is a fair share of the whole, so that what is open alone does not go beyond the bound.
        let share = self.config.max_bytes / (2 * (self.streams.len() as u64 + 1));
        if stream.segment.as_ref().is_some_and(|segment| segment.bytes() >= self.config.segment_bytes.min(share)) {
            self.close(stream.segment.take());
        }
        let open: u64 = self.streams.values().filter_map(|stream| stream.segment.as_ref()).map(Segment::bytes).sum();
        let own = stream.segment.as_ref().map_or(0, Segment::bytes) + stream.block.len() as u64;
        let folder = &self.config.folder;
        let shelf = match &mut self.shelf {
            Some(shelf) => shelf,
            none => none.insert(Shelf::of(folder)?),
        };
        let deleted = shelf.shrink_to(self.config.max_bytes.saturating_sub(open + own));
        self.metrics.deleted_segments.inc_by(deleted);
        let segment = match &mut stream.segment {
            Some(segment) => segment,
            none => {
                let segment = create(&self.config, stream.number, &stream.header, stream.sequence + 1)?;
                stream.sequence += 1;
                none.insert(segment)
            }
        };
        let before = segment.bytes();
        segment.append(&stream.block)?;
        self.metrics.bytes.inc_by(segment.bytes() - before);
        Ok(())
    }

    /// After an error. A segment without a block is of no use: where the disk is full, each attempt would leave one.
    fn end_segment(&mut self, stream: &mut Stream) {
        match stream.segment.take() {
            Some(segment) if segment.has_blocks() => self.close(Some(segment)),
            Some(segment) => {
                stream.sequence -= 1;
                segment.remove();
            }
            None => {}
        }
    }

    fn close(&mut self, segment: Option<Segment>) {
        if let (Some(segment), Some(shelf)) = (segment, &mut self.shelf) {
            shelf.add(segment.path(), segment.bytes());
        }
    }

    fn fail(&mut self, error: &io::Error) {
        let pause = self.failed.map_or(PAUSE, |(_, pause)| pause);
        self.failed = Some((Instant::now() + pause, (2 * pause).min(LONGEST_PAUSE)));
        let folder = self.config.folder.display();
        warn!(%folder, %error, pause_s = pause.as_secs(), "the capture cannot be written; feeds go on without it");
    }
}

fn create(config: &CaptureConfig, number: u32, header: &SegmentHeader, sequence: u32) -> io::Result<Segment> {
    let now = Timestamp::now();
    let folder = config.folder.join(&header.session);
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(&folder)?;
    let time = now.strftime("%Y%m%dT%H%M%S%.6fZ");
    let name = format!("{time}-{number:04}-{sequence:06}.{EXTENSION}");
    let path: PathBuf = folder.join(name);
    // The first begins with its stream: before its frames, which waited for their block.
    let started_at_us = if sequence == 1 { header.started_at_us } else { now.as_microsecond() };
    let header = SegmentHeader { sequence, started_at_us, ..header.clone() };
    Segment::create(&path, &header)
}
