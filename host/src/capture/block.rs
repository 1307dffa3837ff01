//! Batches of frames in a compressed block.

use std::io;

use crate::frames::FrameBatch;

/// Bytes of a block, before compression, at which it is written.
pub(super) const ENOUGH: usize = 256 << 10;

/// The most bytes of a block before compression: one batch on top of an almost full one.
const MAX_RAW: usize = ENOUGH + (48 << 20);

const BATCH: u8 = 1;
const LOST: u8 = 2;

/// What a capture holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Captured {
    /// Frames, as they were handed to the plugin in one call.
    Frames {
        /// Number of the connection in its stream: with another number, a new instance of the plugin began.
        connection: u32,
        /// The host's time of the batch, µs since 1970 UTC.
        received_at_us: i64,
        /// The frames.
        batch: FrameBatch,
    },
    /// So many frames are missing here: the capture could not keep up, or could not be written.
    Lost {
        /// How many.
        frames: u64,
        /// When the next frames came, µs since 1970 UTC.
        at_us: i64,
    },
}

impl Captured {
    /// Its time, µs since 1970 UTC.
    #[must_use]
    pub fn at_us(&self) -> i64 {
        match self {
            Self::Frames { received_at_us, .. } => *received_at_us,
            Self::Lost { at_us, .. } => *at_us,
        }
    }
}

/// A block in the making.
#[derive(Debug, Default)]
pub(super) struct Block {
    raw: Vec<u8>,
    /// Frames in it.
    pub(super) frames: u64,
    /// Frames whose absence it tells of.
    pub(super) lost: u64,
}

impl Block {
    pub(super) fn push_frames(&mut self, connection: u32, received_at_us: i64, batch: &FrameBatch) {
        self.raw.push(BATCH);
        self.raw.extend_from_slice(&connection.to_le_bytes());
        self.raw.extend_from_slice(&received_at_us.to_le_bytes());
        // A batch has at most as many frames as its offsets of 32 bits can tell apart.
        self.raw.extend_from_slice(&(batch.len() as u32).to_le_bytes());
        for end in batch.ends() {
            self.raw.extend_from_slice(&end.to_le_bytes());
        }
        self.raw.extend_from_slice(batch.bytes());
        self.frames += batch.len() as u64;
    }

    pub(super) fn push_lost(&mut self, frames: u64, at_us: i64) {
        self.lost = self.lost.saturating_add(frames);
        self.raw.push(LOST);
        self.raw.extend_from_slice(&frames.to_le_bytes());
        self.raw.extend_from_slice(&at_us.to_le_bytes());
    }

    pub(super) fn is_empty(&self) -> bool {
        self.raw.is_empty()
    }

    /// Bytes before compression.
    pub(super) fn len(&self) -> usize {
        self.raw.len()
    }

    /// The body of its record.
    pub(super) fn compressed(&self) -> io::Result<Vec<u8>> {
        compressed(&self.raw)
    }

    pub(super) fn clear(&mut self) {
        self.raw.clear();
        self.raw.shrink_to(2 * ENOUGH);
        self.frames = 0;
        self.lost = 0;
    }
}

/// The length of these bytes, and the bytes compressed.
pub(super) fn compressed(raw: &[u8]) -> io::Result<Vec<u8>> {
    let length = u32::try_from(raw.len()).ok().filter(|length| *length as usize <= MAX_RAW);
    let length = length.ok_or_else(|| io::Error::other("a block of the capture is too large"))?;
    let mut body = length.to_le_bytes().to_vec();
    body.extend_from_slice(&zstd::bulk::compress(raw, zstd::DEFAULT_COMPRESSION_LEVEL)?);
    Ok(body)
}

/// What a block's record holds. Of a block only one batch at a time is unpacked into frames: many small batches would
/// take many times the memory of their block.
#[derive(Debug, Default)]
pub(super) struct Batches {
    raw: Vec<u8>,
    position: usize,
}

impl Batches {
    /// Reads the body of a record; none if it makes no sense.
    pub(super) fn of(body: &[u8]) -> Option<Self> {
        let (length, compressed) = body.split_first_chunk::<4>()?;
        let length = u32::from_le_bytes(*length) as usize;
        if length > MAX_RAW {
            return None;
        }
        let raw = zstd::bulk::decompress(compressed, length).ok().filter(|raw| raw.len() == length)?;
        Some(Self { raw, position: 0 })
    }

    /// Whether everything in it was taken.
    pub(super) fn is_over(&self) -> bool {
        self.position == self.raw.len()
    }

    /// What is next; none at the end, and where what follows makes no sense.
    pub(super) fn take(&mut self) -> Option<Captured> {
        let mut rest = self.raw.get(self.position..)?;
        let captured = take(&mut rest)?;
        self.position = self.raw.len() - rest.len();
        Some(captured)
    }
}

fn take(rest: &mut &[u8]) -> Option<Captured> {
    let [kind] = bytes(rest)?;
    match kind {
        BATCH => {
            let connection = u32::from_le_bytes(bytes(rest)?);
            let received_at_us = i64::from_le_bytes(bytes(rest)?);
            Some(Captured::Frames { connection, received_at_us, batch: take_batch(rest)? })
        }
        LOST => {
            let frames = u64::from_le_bytes(bytes(rest)?);
            Some(Captured::Lost { frames, at_us: i64::from_le_bytes(bytes(rest)?) })
        }
        _ => None,
    }
}

fn take_batch(rest: &mut &[u8]) -> Option<FrameBatch> {
    let count = u32::from_le_bytes(bytes(rest)?) as usize;
    let (ends, behind) = rest.split_at_checked(count.checked_mul(4)?)?;
    let ends: Vec<u32> = ends.as_chunks::<4>().0.iter().map(|end| u32::from_le_bytes(*end)).collect();
    let (frames, behind) = behind.split_at_checked(ends.last().map_or(0, |end| *end as usize))?;
    *rest = behind;
    FrameBatch::from_parts(frames.to_vec(), ends)
}

fn bytes<const N: usize>(rest: &mut &[u8]) -> Option<[u8; N]> {
    let (taken, behind) = rest.split_first_chunk::<N>()?;
    *rest = behind;
    Some(*taken)
}
