//! The bytes of a segment: a header, then records, each with its length and a checksum.

/// Begins every segment. Another layout will have another number.
pub const HEADER: &[u8; 8] = b"tdspool1";

/// A record with its headers is never longer than this; a longer one is a damaged length.
const LONGEST: usize = 64 << 20;

/// Length and checksum before a record.
const PREFIX: usize = 8;

/// What a record takes in a segment.
pub fn framed_bytes(record: &[u8]) -> u64 {
    (PREFIX + record.len()) as u64
}

/// Appends a record.
pub fn frame(record: &[u8], segment: &mut Vec<u8>) {
    let length = (record.len() as u32).to_le_bytes();
    segment.extend_from_slice(&length);
    segment.extend_from_slice(&checksum(length, record).to_le_bytes());
    segment.extend_from_slice(record);
}

/// Of the length as well: a tail of zeros must not read as empty records.
fn checksum(length: [u8; 4], record: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(&length);
    hasher.update(record);
    !hasher.finalize()
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
        Self { bytes, position: if header { HEADER.len() } else { 0 }, damaged: !header && bytes.len() >= HEADER.len() }
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
        let (prefix, rest) = self.bytes.get(self.position..)?.split_first_chunk::<PREFIX>()?;
        let (length, sum) = prefix.split_first_chunk::<4>()?;
        let bytes = u32::from_le_bytes(*length) as usize;
        if bytes > LONGEST {
            self.damaged = true;
            return None;
        }
        let record = rest.get(..bytes)?;
        if checksum(*length, record).to_le_bytes() != *sum {
            // Zeros are what a file system shows of a tail that was never written.
            self.damaged = self.bytes[self.position..].iter().any(|byte| *byte != 0);
            return None;
        }
        self.position += PREFIX + bytes;
        Some(record)
    }
}

impl<'a> Iterator for Scan<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        self.read()
    }
}
