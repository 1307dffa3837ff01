//! The frames of a batch, one by one.

use crate::{Batch, Reason};

/// One frame as it came over the wire.
#[derive(Debug, Clone, Copy)]
pub struct Frame<'a> {
    /// Its payload, exactly as received. Not necessarily UTF-8.
    pub bytes: &'a [u8],
    /// Its index in the batch.
    pub index: u32,
    /// The host's time when it received the last frame of the batch, in microseconds since 1970. For the record only: a
    /// trade's time is the exchange's.
    pub received_at: i64,
}

/// Walks over the frames of a batch, oldest first.
#[derive(Debug, Clone)]
pub struct Frames<'a> {
    bytes: &'a [u8],
    ends: &'a [u32],
    received_at: i64,
    start: usize,
    index: usize,
}

impl<'a> Frames<'a> {
    /// The frames of `batch`.
    ///
    /// # Errors
    ///
    /// A sentence, if the frames' ends run backwards, beyond the bytes, or leave bytes over.
    pub fn new(batch: &'a Batch) -> Result<Self, Reason> {
        let mut start = 0;
        for &end in &batch.ends {
            if end < start {
                return Err("the batch is damaged: a frame ends before it starts".into());
            }
            start = end;
        }
        if start as usize != batch.bytes.len() {
            return Err("the batch is damaged: its last frame does not end where its bytes end".into());
        }
        Ok(Self { bytes: &batch.bytes, ends: &batch.ends, received_at: batch.received_at, start: 0, index: 0 })
    }
}

impl<'a> Iterator for Frames<'a> {
    type Item = Frame<'a>;

    fn next(&mut self) -> Option<Frame<'a>> {
        let end = *self.ends.get(self.index)? as usize;
        let bytes = self.bytes.get(self.start..end)?;
        let frame = Frame { bytes, index: self.index as u32, received_at: self.received_at };
        self.start = end;
        self.index += 1;
        Some(frame)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let left = self.ends.len() - self.index;
        (left, Some(left))
    }
}

impl ExactSizeIterator for Frames<'_> {}
