//! The spool's reader. What the folder holds may be anything: what was written in full and intact comes back, in order, and
//! nothing else; what is damaged is kept aside, and what was never written in full is cut off.
//!
//! The first byte of an input chooses: a file of foreign bytes, one that begins as a segment does, or records that are
//! written, damaged and read.

use std::fs;
use std::path::Path;

use rdkafka::message::OwnedHeaders;
use tapedeck::plugin::fuzz::Input;
use tapedeck::sink::spool::segment::{self, HEADER};
use tapedeck::sink::spool::{Spool, record};

use super::damage::{Damaged, damage, parts_within};
use super::folder::folder;
use crate::memory::peak_of;

/// The first segment's name.
const SEGMENT: &str = "0000000100000000.spool";
const MOST: u64 = 1 << 30;

pub(super) fn run(bytes: &[u8]) {
    let Some((&choice, rest)) = bytes.split_first() else { return };
    match choice % 3 {
        0 => {
            decode(rest);
            reopen(rest);
        }
        1 => drop(reopen(&[HEADER, rest].concat())),
        _ => damaged(&mut Input::new(rest)),
    }
}

/// A record is read as one that could have been written, or not at all.
fn decode(bytes: &[u8]) {
    let Some(read) = record::decode(bytes) else { return };
    let mut again = Vec::new();
    record::encode(
        read.topic,
        read.key,
        read.payload,
        read.headers.as_ref().map(OwnedHeaders::as_borrowed),
        &mut again,
    );
    assert_eq!(again, bytes);
}

fn damaged(input: &mut Input<'_>) {
    let records = input.list(written);
    let whole = write(&records);
    let mut ends = vec![HEADER.len()];
    for record in &records {
        ends.push(ends.last().copied().unwrap_or(0) + segment::framed_bytes(record) as usize);
    }
    assert_eq!(whole.len(), if records.is_empty() { 0 } else { ends.last().copied().unwrap_or(0) });
    let Damaged { bytes, intact, is_plain } = damage(&whole, input);
    let read = reopen(&bytes);
    let left = parts_within(&ends, intact).saturating_sub(1);
    assert!(read.starts_with(&records[..left]), "{left} records were intact");
    assert!(!is_plain || read.len() == left, "{} records came back, and {left} were intact", read.len());
}

/// Any bytes, or a record as it goes to Kafka.
fn written(input: &mut Input<'_>) -> Vec<u8> {
    let length = input.byte();
    let bytes = input.bytes(length.into()).to_vec();
    if length % 4 != 3 {
        return bytes;
    }
    let mut record = Vec::new();
    record::encode("trades", b"key", &bytes, Some(OwnedHeaders::new().as_borrowed()), &mut record);
    decode(&record);
    record
}

/// Writes a spool of these records. Returns the bytes of its only segment.
fn write(records: &[Vec<u8>]) -> Vec<u8> {
    let folder = folder();
    let mut spool = open(folder.path());
    for record in records {
        spool.append(record).unwrap_or_else(|error| panic!("{error}"));
    }
    spool.flush().unwrap_or_else(|error| panic!("{error}"));
    fs::read(folder.path().join(SEGMENT)).unwrap_or_default()
}

/// Opens a spool with this file in it, looks at what was made of it, and at whether it goes on. Returns its records.
fn reopen(file: &[u8]) -> Vec<Vec<u8>> {
    let folder = folder();
    let path = folder.path().join(SEGMENT);
    fs::write(&path, file).unwrap_or_else(|error| panic!("{error}"));
    let expected = Expected::of(file);
    let (mut spool, peak) = peak_of(|| open(folder.path()));
    assert!(peak < 2 * file.len() + (64 << 10), "{peak} bytes for {}", file.len());
    assert_eq!(spool.records(), expected.records.len() as u64);
    let kept = fs::read(path.with_extension("damaged")).ok();
    assert_eq!(kept.as_deref(), expected.is_damaged.then_some(file), "what is damaged is kept, and nothing else");
    let left = (!expected.records.is_empty()).then(|| &file[..expected.end]);
    assert_eq!(fs::read(&path).ok().as_deref(), left);
    let oldest = spool.oldest();
    let (read, peak) = peak_of(|| oldest.map(|segment| segment.read()).transpose());
    // An empty record takes 12 bytes on disk, and the list of records grows by doubling.
    assert!(peak < 8 * file.len() + (64 << 10), "{peak} bytes for {}", file.len());
    let read = read.unwrap_or_else(|error| panic!("{error}")).unwrap_or_default();
    assert_eq!(read, expected.records);

    spool.append(b"behind").and_then(|()| spool.prepend([b"before".as_slice()])).unwrap_or_else(|e| panic!("{e}"));
    spool.flush().unwrap_or_else(|error| panic!("{error}"));
    drop(spool);
    let mut all = vec![b"before".to_vec()];
    all.extend(read.iter().cloned());
    all.push(b"behind".to_vec());
    assert_eq!(drain(open(folder.path())), all);
    assert!(!path.with_extension("2.damaged").exists(), "what was mended is damaged again");
    read
}

fn open(folder: &Path) -> Spool {
    Spool::open(folder, MOST).unwrap_or_else(|error| panic!("{error}"))
}

/// Everything that is in it, oldest first.
fn drain(mut spool: Spool) -> Vec<Vec<u8>> {
    let mut records = Vec::new();
    while let Some(segment) = spool.oldest() {
        records.extend(segment.read().unwrap_or_else(|error| panic!("{error}")));
        spool.remove_oldest().unwrap_or_else(|error| panic!("{error}"));
    }
    assert!(spool.is_empty() && spool.records() == 0 && spool.bytes() == 0);
    records
}

/// What is to be made of a file, by what the documentation says of its format.
struct Expected<'a> {
    records: Vec<&'a [u8]>,
    end: usize,
    is_damaged: bool,
}

impl<'a> Expected<'a> {
    fn of(file: &'a [u8]) -> Self {
        let is_zero = |bytes: &[u8]| bytes.iter().all(|byte| *byte == 0);
        let mut expected = Self { records: Vec::new(), end: 0, is_damaged: false };
        let Some(mut left) = file.strip_prefix(HEADER) else {
            expected.is_damaged = !HEADER.starts_with(file) && !is_zero(file);
            return expected;
        };
        while let Some((prefix, behind)) = left.split_at_checked(12) {
            let (length, sums) = prefix.split_at(4);
            let bytes = u32::from_le_bytes([length[0], length[1], length[2], length[3]]) as usize;
            if sum(length, b"") != sums[..4] || bytes > 64 << 20 {
                expected.is_damaged = !is_zero(left);
                break;
            }
            let Some((record, behind)) = behind.split_at_checked(bytes) else { break };
            if sum(length, record) != sums[4..] {
                expected.is_damaged = true;
                break;
            }
            expected.records.push(record);
            left = behind;
        }
        expected.end = file.len() - left.len();
        expected
    }
}

fn sum(length: &[u8], record: &[u8]) -> [u8; 4] {
    (!crc32fast::hash(&[length, record].concat())).to_le_bytes()
}
