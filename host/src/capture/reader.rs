//! Reading a segment. The bytes may be anything: a torn tail, or no capture at all.

use std::collections::VecDeque;
use std::io::{self, Read};

use super::block::{self, Captured};
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
    ready: VecDeque<Captured>,
    /// Bytes of all records so far.
    good: u64,
    is_over: bool,
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
        let Some((Kind::Header, body)) = framing::read(&mut source)? else { return Err(NoCapture::Torn) };
        let value: serde_json::Value = serde_json::from_slice(&body).map_err(|_| NoCapture::Foreign)?;
        let format = value["format"].as_u64().unwrap_or(0);
        if format != u64::from(FORMAT) {
            return Err(NoCapture::Format(u32::try_from(format).unwrap_or(u32::MAX)));
        }
        let header: SegmentHeader = serde_json::from_value(value).map_err(|_| NoCapture::Foreign)?;
        if !header.is_sound() {
            return Err(NoCapture::Foreign);
        }
        let good = (framing::MAGIC.len() + framing::PREFIX + 1 + body.len()) as u64;
        Ok(Self { header, source, ready: VecDeque::new(), good, is_over: false })
    }

    /// What it is of.
    pub fn header(&self) -> &SegmentHeader {
        &self.header
    }

    /// Bytes from the beginning that are sound, as far as it was read.
    pub fn good_bytes(&self) -> u64 {
        self.good
    }

    /// What comes next; none at the end, or where the rest is of no use.
    ///
    /// # Errors
    /// The disk does not give it.
    pub fn next_captured(&mut self) -> io::Result<Option<Captured>> {
        while self.ready.is_empty() && !self.is_over {
            let record = framing::read(&mut self.source)?;
            let block = record.and_then(|(kind, body)| Some((body.len(), (kind == Kind::Block).then_some(body)?)));
            match block.and_then(|(bytes, body)| Some((bytes, block::decode(&body)?))) {
                Some((bytes, found)) => {
                    self.good += (framing::PREFIX + 1 + bytes) as u64;
                    self.ready.extend(found);
                }
                None => self.is_over = true,
            }
        }
        Ok(self.ready.pop_front())
    }
}

#[cfg(test)]
mod tests;
