//! Segments as the recorder writes them, for the fuzz targets and tests: sound ones, and foreign bytes in sound wrappings.

use std::io;

use super::block::{self, Block, Captured};
use super::framing::{self, Kind};
use super::header::{FORMAT, RequestHeader, SegmentHeader};

/// A header.
#[must_use]
pub fn header() -> SegmentHeader {
    SegmentHeader {
        format: FORMAT,
        exchange: "acme".to_owned(),
        session: "acme-0".to_owned(),
        stream: "1-1".to_owned(),
        sequence: 1,
        started_at_us: 1,
        plugin: "acme".to_owned(),
        plugin_version: "1.2.3".to_owned(),
        plugin_sha256: "00".repeat(32),
        request: RequestHeader::default(),
    }
}

/// The beginning of a segment, with this text in place of its header.
///
/// # Errors
/// The text is too large.
pub fn beginning(header: &[u8]) -> io::Result<Vec<u8>> {
    let mut segment = framing::MAGIC.to_vec();
    framing::write(&mut segment, Kind::Header, header)?;
    Ok(segment)
}

/// The record of a block.
///
/// # Errors
/// The block is too large.
pub fn block(captured: &[Captured]) -> io::Result<Vec<u8>> {
    let mut block = Block::default();
    for one in captured {
        match one {
            Captured::Frames { connection, received_at_us, batch } => {
                block.push_frames(*connection, *received_at_us, batch);
            }
            Captured::Lost { frames, at_us } => block.push_lost(*frames, *at_us),
        }
    }
    record(&block.compressed()?)
}

/// Bytes in a record whose checksum is right.
///
/// # Errors
/// They are too many.
pub fn record(body: &[u8]) -> io::Result<Vec<u8>> {
    let mut record = Vec::new();
    framing::write(&mut record, Kind::Block, body)?;
    Ok(record)
}

/// Bytes in a record whose checksum and compression are right.
///
/// # Errors
/// They are too many.
pub fn compressed(raw: &[u8]) -> io::Result<Vec<u8>> {
    record(&block::compressed(raw)?)
}
