//! Batches of frames in a compressed block.

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

    /// The body of its record: its length, and its bytes compressed.
    pub(super) fn compressed(&self) -> std::io::Result<Vec<u8>> {
        let raw = u32::try_from(self.raw.len()).ok().filter(|raw| *raw as usize <= MAX_RAW);
        let raw = raw.ok_or_else(|| std::io::Error::other("a block of the capture is too large"))?;
        let mut body = raw.to_le_bytes().to_vec();
        body.extend_from_slice(&zstd::bulk::compress(&self.raw, zstd::DEFAULT_COMPRESSION_LEVEL)?);
        Ok(body)
    }

    pub(super) fn clear(&mut self) {
        self.raw.clear();
        self.raw.shrink_to(2 * ENOUGH);
        self.frames = 0;
        self.lost = 0;
    }
}

/// What a block's record holds; none if it makes no sense.
pub(super) fn decode(body: &[u8]) -> Option<Vec<Captured>> {
    let (length, compressed) = body.split_first_chunk::<4>()?;
    let length = u32::from_le_bytes(*length) as usize;
    if length > MAX_RAW {
        return None;
    }
    let raw = zstd::bulk::decompress(compressed, length).ok().filter(|raw| raw.len() == length)?;
    let mut rest = raw.as_slice();
    let mut found = Vec::new();
    while !rest.is_empty() {
        found.push(take(&mut rest)?);
    }
    Some(found)
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
    let ends = ends.chunks_exact(4).map(|end| u32::from_le_bytes([end[0], end[1], end[2], end[3]]) as usize);
    let mut batch = FrameBatch::new();
    let mut start = 0;
    for end in ends {
        if !batch.push(behind.get(start..end)?) {
            return None;
        }
        start = end;
    }
    *rest = behind.get(start..)?;
    Some(batch)
}

fn bytes<const N: usize>(rest: &mut &[u8]) -> Option<[u8; N]> {
    let (taken, behind) = rest.split_first_chunk::<N>()?;
    *rest = behind;
    Some(*taken)
}
