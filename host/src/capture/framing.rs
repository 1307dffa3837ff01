//! Records of a segment: length, checksum, payload. What does not check ends the segment.

use std::io::{self, Read, Write};

/// How a segment begins.
pub(super) const MAGIC: &[u8; 8] = b"TDCAPT1\n";

/// The largest payload of a block: it has one batch of the largest frames.
const MAX_BLOCK: usize = 64 << 20;

/// The largest payload of a header: it names every market of a connection.
const MAX_HEADER: usize = 4 << 20;

/// Bytes before a payload: its length, and a checksum of both.
const PREFIX: usize = 8;

/// What a payload is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// The segment's header, once, first.
    Header,
    /// A compressed block of batches.
    Block,
}

impl Kind {
    fn byte(self) -> u8 {
        match self {
            Self::Header => b'H',
            Self::Block => b'B',
        }
    }

    /// The largest payload.
    fn most(self) -> usize {
        match self {
            Self::Header => MAX_HEADER,
            Self::Block => MAX_BLOCK,
        }
    }
}

/// What a record of this body takes in a segment.
pub(super) fn framed_bytes(body: &[u8]) -> u64 {
    (PREFIX + 1 + body.len()) as u64
}

/// Writes a record in one piece. Returns its bytes.
pub(super) fn write(out: &mut impl Write, kind: Kind, body: &[u8]) -> io::Result<u64> {
    let length = u32::try_from(body.len() + 1).ok().filter(|length| *length as usize <= kind.most());
    let length = length.ok_or_else(|| io::Error::other("a record of the capture is too large"))?;
    let mut record = Vec::with_capacity(PREFIX + 1 + body.len());
    record.extend_from_slice(&length.to_le_bytes());
    record.extend_from_slice(&[0; 4]);
    record.push(kind.byte());
    record.extend_from_slice(body);
    let sum = checksum(length, &record[PREFIX..]);
    record[4..PREFIX].copy_from_slice(&sum.to_le_bytes());
    out.write_all(&record)?;
    Ok(record.len() as u64)
}

/// Reads the body of the next record, which is to be of this kind. None at the end, and where a record is cut off, does not
/// check or is another.
pub(super) fn read(source: &mut impl Read, kind: Kind) -> io::Result<Option<Vec<u8>>> {
    let mut prefix = Vec::with_capacity(PREFIX);
    source.take(PREFIX as u64).read_to_end(&mut prefix)?;
    let [l0, l1, l2, l3, s0, s1, s2, s3] = prefix[..] else { return Ok(None) };
    let length = u32::from_le_bytes([l0, l1, l2, l3]);
    if length == 0 || length as usize > kind.most() {
        return Ok(None);
    }
    // Grows with what is there, so that a length that lies takes no memory.
    let mut payload = Vec::new();
    source.take(length.into()).read_to_end(&mut payload)?;
    if payload.len() != length as usize || checksum(length, &payload) != u32::from_le_bytes([s0, s1, s2, s3]) {
        return Ok(None);
    }
    Ok((payload.remove(0) == kind.byte()).then_some(payload))
}

fn checksum(length: u32, payload: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(&length.to_le_bytes());
    hasher.update(payload);
    hasher.finalize()
}
