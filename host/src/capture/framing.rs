//! Records of a segment: length, checksum, payload. What does not check ends the segment.

use std::io::{self, Read, Write};

/// How a segment begins.
pub(super) const MAGIC: &[u8; 8] = b"TDCAPT1\n";

/// The largest payload: a block with one batch of the largest frames.
pub(super) const MAX_PAYLOAD: usize = 64 << 20;

/// Bytes before a payload.
pub(super) const PREFIX: usize = 8;

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

    fn of(byte: u8) -> Option<Self> {
        [Self::Header, Self::Block].into_iter().find(|kind| kind.byte() == byte)
    }
}

/// Writes a record in one piece. Returns its bytes.
pub(super) fn write(out: &mut impl Write, kind: Kind, body: &[u8]) -> io::Result<u64> {
    let length = u32::try_from(body.len() + 1).ok().filter(|length| *length as usize <= MAX_PAYLOAD);
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

/// Reads the next record's kind and body. None at the end, and where a record is cut off or does not check.
pub(super) fn read(source: &mut impl Read) -> io::Result<Option<(Kind, Vec<u8>)>> {
    let mut prefix = Vec::with_capacity(PREFIX);
    source.take(PREFIX as u64).read_to_end(&mut prefix)?;
    let [l0, l1, l2, l3, s0, s1, s2, s3] = prefix[..] else { return Ok(None) };
    let length = u32::from_le_bytes([l0, l1, l2, l3]);
    if length == 0 || length as usize > MAX_PAYLOAD {
        return Ok(None);
    }
    // Grows with what is there, so that a length that lies takes no memory.
    let mut payload = Vec::new();
    source.take(length.into()).read_to_end(&mut payload)?;
    if payload.len() != length as usize || checksum(length, &payload) != u32::from_le_bytes([s0, s1, s2, s3]) {
        return Ok(None);
    }
    let kind = Kind::of(payload.remove(0));
    Ok(kind.map(|kind| (kind, payload)))
}

fn checksum(length: u32, payload: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(&length.to_le_bytes());
    hasher.update(payload);
    hasher.finalize()
}
