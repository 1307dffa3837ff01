//! The capture's reader. A file may be anything: what was written whole and is intact comes back, nothing else does, and a
//! small file never takes much memory.
//!
//! The first byte of an input chooses how much of a segment its bytes are: all of it, its header, what is behind that, a
//! record whose checksum is right, a block whose compression is right; or frames, which are written, damaged and read.

use std::fs;

use tapedeck::capture::{CapturedBatch, Folder, NoCapture, SegmentHeader, SegmentReader, fuzz};
use tapedeck::frames::FrameBatch;
use tapedeck::plugin::fuzz::Input;

use super::damage::{Damaged, damage, parts_within};
use super::folder::folder;
use super::is_obeyed;
use crate::memory::peak_of;

/// What reading a segment takes at most, beside a few times its size: an unpacked block, and a batch out of it.
const MOST: usize = 100 << 20;

pub(super) fn run(bytes: &[u8]) {
    let Some((&choice, rest)) = bytes.split_first() else { return };
    let behind = |record: std::io::Result<Vec<u8>>| [beginning(&fuzz::header()), record.unwrap_or_default()].concat();
    match choice % 6 {
        0 => drop(read(rest)),
        1 => drop(read(&fuzz::beginning(rest).unwrap_or_default())),
        2 => drop(read(&behind(Ok(rest.to_vec())))),
        3 => drop(read(&behind(fuzz::record(rest)))),
        4 => drop(read(&behind(fuzz::compressed(rest)))),
        _ => damaged(&mut Input::new(rest)),
    }
}

fn beginning(header: &SegmentHeader) -> Vec<u8> {
    serde_json::to_vec(header).map_err(Into::into).and_then(|header| fuzz::beginning(&header)).unwrap_or_default()
}

/// What is in a segment, and how many of its bytes are sound. None if it is none.
fn read(segment: &[u8]) -> Option<(Vec<CapturedBatch>, usize)> {
    let (read, peak) = peak_of(|| -> Option<usize> {
        let mut reader = open(segment)?;
        let mut count = 0;
        while let Some(captured) = next(&mut reader) {
            check(&captured);
            count += 1;
        }
        Some(count)
    });
    assert!(peak < MOST + 16 * segment.len(), "{peak} bytes for {}", segment.len());
    let mut reader = open(segment)?;
    let header = reader.header();
    for name in [&header.exchange, &header.session, &header.stream, &header.plugin] {
        assert!(name.is_ascii() && !name.contains(['/', '.']), "{name:?}");
    }
    let market_names = header.request.markets.iter().flat_map(|market| [Some(&market.name), market.symbol.as_ref()]);
    assert!(!market_names.flatten().any(|name| name.chars().any(is_obeyed)), "{:?}", header.request.markets);
    let found: Vec<_> = std::iter::from_fn(|| next(&mut reader)).take(1 << 12).collect();
    assert_eq!(found.len(), read.unwrap_or_default().min(1 << 12));
    let good = usize::try_from(reader.good_bytes()).unwrap_or(usize::MAX);
    assert!(good <= segment.len(), "{good} of {} bytes are sound", segment.len());
    Some((found, good))
}

fn open(segment: &[u8]) -> Option<SegmentReader<&[u8]>> {
    match SegmentReader::open(segment) {
        Ok(reader) => Some(reader),
        Err(NoCapture::Unreadable(error)) => panic!("{error}"),
        Err(error) => {
            assert!(!error.to_string().chars().any(is_obeyed));
            None
        }
    }
}

fn next(reader: &mut SegmentReader<&[u8]>) -> Option<CapturedBatch> {
    reader.next_captured().unwrap_or_else(|error| panic!("{error}"))
}

/// The frames of a batch are its bytes, cut into pieces.
fn check(captured: &CapturedBatch) {
    let CapturedBatch::Frames { batch, .. } = captured else { return };
    assert_eq!(batch.iter().map(<[u8]>::len).sum::<usize>(), batch.bytes().len());
    assert_eq!(batch.iter().count(), batch.len());
    assert_eq!(batch.len().checked_sub(1).and_then(|last| batch.get(last)), batch.iter().last());
}

fn damaged(input: &mut Input<'_>) {
    let header = fuzz::header();
    let mut whole = beginning(&header);
    let begin = whole.len();
    let mut ends = Vec::new();
    let blocks: Vec<_> =
        (0..input.byte() % 5).map(|_| (0..input.byte() % 4).map(|_| captured(input)).collect()).collect();
    for block in &blocks {
        let block: &Vec<CapturedBatch> = block;
        whole.extend(fuzz::block(block).unwrap_or_else(|error| panic!("{error}")));
        ends.push(whole.len());
    }
    let Damaged { bytes, intact, is_plain } = damage(&whole, input);
    let found = read(&bytes);
    assert!(intact < begin || found.is_some(), "the header is intact");
    assert!(intact >= begin || !is_plain || found.is_none(), "the header is damaged");
    let Some((found, good)) = found else { return };
    let left = parts_within(&ends, intact);
    let expected = blocks[..left].concat();
    assert!(found.starts_with(&expected), "{left} blocks were intact");
    assert!(!is_plain || found == expected, "more came back than {left} blocks");
    assert!(left == 0 || good >= ends[left - 1]);

    // The same by way of a folder, which says what is of no use.
    let folder = folder();
    fs::write(folder.path().join("a.capture"), &bytes).unwrap_or_else(|error| panic!("{error}"));
    let mut folder = Folder::open(folder.path()).unwrap_or_else(|error| panic!("{error:#}"));
    let next = || folder.next_captured().unwrap_or_else(|error| panic!("{error:#}"));
    assert!(std::iter::from_fn(next).map(|(_, captured)| captured).eq(found));
    let (notes, torn) = (folder.notes(), bytes.len() - good);
    assert_eq!((notes.segments, notes.torn, notes.torn_bytes), (1, u64::from(torn > 0), torn as u64));
}

fn captured(input: &mut Input<'_>) -> CapturedBatch {
    if input.byte().is_multiple_of(8) {
        return CapturedBatch::Lost { frames: input.number(), at_us: input.number() as i64 };
    }
    let (connection, received_at_us) = (input.index(), input.number() as i64);
    let mut batch = FrameBatch::new();
    for _ in 0..input.byte() % 8 {
        let length = input.byte();
        assert!(batch.push(input.bytes(length.into())));
    }
    CapturedBatch::Frames { connection, received_at_us, batch }
}
