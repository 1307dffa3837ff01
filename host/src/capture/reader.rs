//! Reading a segment. The bytes may be anything: a torn tail, or no capture at all.

use std::io::{self, Read};

use serde::Deserialize;

use super::block::{Batches, Captured};
use super::framing::{self, Kind};
use super::header::{FORMAT, SegmentHeader};

/// Why a file is not read as a segment.
#[derive(Debug, thiserror::Error)]
pub enum NoCapture {
    /// It cannot be read.
    #[error("cannot be read")]
    Unreadable(#[from] io::Error),
    /// It is empty, or ends within its header: the host was killed just as it began.
    #[error("ends before its header does")]
    Torn,
    /// It begins like no segment.
    #[error("is no segment of a capture")]
    Foreign,
    /// Its layout is a later one.
    #[error("has layout {0}, and this Tapedeck reads {FORMAT}")]
    Format(u32),
}

/// A segment that is read from its beginning to where its records end.
#[derive(Debug)]
pub struct SegmentReader<R> {
    header: SegmentHeader,
    source: R,
    block: Batches,
    /// Bytes of the block's record.
    block_bytes: u64,
    /// Bytes of all records before it.
    good: u64,
    is_over: bool,
}

/// What a header of any layout has.
#[derive(Deserialize)]
struct Layout {
    #[serde(default)]
    format: u32,
}

impl<R: Read> SegmentReader<R> {
    /// Reads the header.
    ///
    /// # Errors
    /// See [`NoCapture`].
    pub fn open(mut source: R) -> Result<Self, NoCapture> {
        let mut magic = Vec::new();
        (&mut source).take(framing::MAGIC.len() as u64).read_to_end(&mut magic)?;
        if magic != framing::MAGIC {
            return Err(if framing::MAGIC.starts_with(&magic) { NoCapture::Torn } else { NoCapture::Foreign });
        }
        let Some(body) = framing::read(&mut source, Kind::Header)? else { return Err(NoCapture::Torn) };
        let Layout { format } = serde_json::from_slice(&body).map_err(|_| NoCapture::Foreign)?;
        if format != FORMAT {
            return Err(NoCapture::Format(format));
        }
        let header: SegmentHeader = serde_json::from_slice(&body).map_err(|_| NoCapture::Foreign)?;
        if !header.is_sound() {
            return Err(NoCapture::Foreign);
        }
        let good = framing::MAGIC.len() as u64 + framing::framed_bytes(&body);
        Ok(Self { header, source, block: Batches::default(), block_bytes: 0, good, is_over: false })
    }

    /// What it is of.
    pub fn header(&self) -> &SegmentHeader {
        &self.header
    }

    /// Bytes from the beginning that are sound, as far as it was read; a block counts when all of it was.
    pub fn good_bytes(&self) -> u64 {
        self.good
    }

    /// What comes next; none at the end, or where the rest is of no use.
    ///
    /// # Errors
    /// The disk does not give it.
    pub fn next_captured(&mut self) -> io::Result<Option<Captured>> {
        while !self.is_over {
            if !self.block.is_over() {
                let captured = self.block.take();
                self.is_over = captured.is_none();
                return Ok(captured);
            }
            self.good += std::mem::take(&mut self.block_bytes);
            let body = framing::read(&mut self.source, Kind::Block)?;
            match body.and_then(|body| Some((framing::framed_bytes(&body), Batches::of(&body)?))) {
                Some((bytes, block)) => (self.block_bytes, self.block) = (bytes, block),
                None => self.is_over = true,
            }
        }
        Ok(None)
    }
}

#[cfg(test)]
mod tests;
