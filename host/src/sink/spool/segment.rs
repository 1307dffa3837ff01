//! The bytes of a segment: a header, then records, each with its length and checksums.

/// Begins every segment. Another layout will have another number.
pub const HEADER: &[u8; 8] = b"tdspool1";

/// A record with its headers is never longer than this; a longer one is none of ours.
const LONGEST: usize = 64 << 20;

/// Before a record: its length, a checksum of that, and one of length and record. The length has its own, so that one
/// that is damaged does not pass for that of a record which was never written in full.
const PREFIX: usize = 12;

/// What a record takes in a segment.
pub fn framed_bytes(record: &[u8]) -> u64 {
    (PREFIX + record.len()) as u64
}

/// Appends a record.
pub fn frame(record: &[u8], segment: &mut Vec<u8>) {
    let length = (record.len() as u32).to_le_bytes();
    let head = checksum(&[&length]);
    segment.extend_from_slice(&length);
    segment.extend_from_slice(&head);
    segment.extend_from_slice(&checksum(&[&length, record]));
    segment.extend_from_slice(record);
}

/// CRC-32, turned round so that a tail of zeros does not read as empty records.
fn checksum(parts: &[&[u8]]) -> [u8; 4] {
    let mut hasher = crc32fast::Hasher::new();
    parts.iter().for_each(|part| hasher.update(part));
    (!hasher.finalize()).to_le_bytes()
}

/// The good records of a segment, up to its end or to the first that is not good.
#[derive(Debug)]
pub struct Scan<'a> {
    bytes: &'a [u8],
    position: usize,
    damaged: bool,
}

impl<'a> Scan<'a> {
    /// Reads a segment, whatever its bytes are.
    pub fn of(bytes: &'a [u8]) -> Self {
        let header = bytes.starts_with(HEADER);
        let torn = HEADER.starts_with(bytes) || is_unwritten(bytes);
        Self { bytes, position: if header { HEADER.len() } else { 0 }, damaged: !header && !torn }
    }

    /// Where the last good record ended.
    pub fn position(&self) -> usize {
        self.position
    }

    /// Whether the scan ended at something that was written in full, but is not what was written.
    pub fn is_damaged(&self) -> bool {
        self.damaged
    }

    fn read(&mut self) -> Option<&'a [u8]> {
        if self.position < HEADER.len() || self.damaged {
            return None;
        }
        let left = self.bytes.get(self.position..)?;
        let (prefix, behind) = left.split_first_chunk::<PREFIX>()?;
        let [length, head, sum] = *prefix.as_chunks::<4>().0 else { return None };
        let bytes = u32::from_le_bytes(length) as usize;
        if checksum(&[&length]) != head || bytes > LONGEST {
            self.damaged = !is_unwritten(left);
            return None;
        }
        let record = behind.get(..bytes)?;
        if checksum(&[&length, record]) != sum {
            self.damaged = true;
            return None;
        }
        self.position += PREFIX + bytes;
        Some(record)
    }
}

/// Zeros are what a file system shows of a tail that was never written.
fn is_unwritten(tail: &[u8]) -> bool {
    tail.iter().all(|byte| *byte == 0)
}

impl<'a> Iterator for Scan<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        self.read()
    }
}
