//! Whatever the bytes are, reading ends well, and what was written whole comes back.

use proptest::prelude::*;

use super::*;
use crate::capture::fuzz::{self, header};
use crate::capture::header::MarketHeader;
use crate::frames::FrameBatch;

fn segment(blocks: &[Vec<Captured>]) -> Vec<u8> {
    let mut bytes = fuzz::beginning(&serde_json::to_vec(&header()).unwrap_or_default()).unwrap_or_default();
    blocks.iter().for_each(|block| bytes.extend(fuzz::block(block).unwrap_or_default()));
    bytes
}

fn read(bytes: &[u8]) -> Result<(Vec<Captured>, u64), NoCapture> {
    let mut reader = SegmentReader::open(bytes)?;
    assert_eq!(reader.header(), &header());
    let mut found = Vec::new();
    while let Some(captured) = reader.next_captured()? {
        found.push(captured);
    }
    Ok((found, reader.good_bytes()))
}

fn captured() -> impl Strategy<Value = Captured> {
    let frames = prop::collection::vec(prop::collection::vec(any::<u8>(), 0..40), 0..6);
    prop_oneof![
        4 => (any::<u32>(), any::<i64>(), frames).prop_map(|(connection, received_at_us, frames)| {
            let mut batch = FrameBatch::new();
            assert!(frames.iter().all(|frame| batch.push(frame)));
            Captured::Frames { connection, received_at_us, batch }
        }),
        1 => (any::<u64>(), any::<i64>()).prop_map(|(frames, at_us)| Captured::Lost { frames, at_us }),
    ]
}

fn blocks() -> impl Strategy<Value = Vec<Vec<Captured>>> {
    prop::collection::vec(prop::collection::vec(captured(), 1..4), 0..5)
}

proptest! {
    #[test]
    fn what_was_written_comes_back(blocks in blocks()) {
        let bytes = segment(&blocks);
        let (found, good) = read(&bytes).unwrap_or_default();
        prop_assert_eq!(found, blocks.concat());
        prop_assert_eq!(good, bytes.len() as u64);
    }

    #[test]
    fn a_torn_tail_costs_only_the_tail(blocks in blocks(), at in any::<prop::sample::Index>()) {
        let bytes = segment(&blocks);
        let cut = &bytes[..at.index(bytes.len() + 1)];
        match read(cut) {
            Ok((found, good)) => {
                prop_assert!(blocks.concat().starts_with(&found));
                prop_assert!(good <= cut.len() as u64);
                // Whole blocks before the cut are all there.
                prop_assert_eq!(read(&bytes[..good as usize]).unwrap_or_default().0, found);
            }
            Err(error) => prop_assert!(matches!(error, NoCapture::Torn), "{}", error),
        }
    }

    #[test]
    fn a_damaged_byte_ends_the_segment_there(blocks in blocks(), at in any::<prop::sample::Index>(), flip in 1..=255_u8) {
        let mut bytes = segment(&blocks);
        let begin = segment(&[]).len();
        prop_assume!(bytes.len() > begin);
        let index = begin + at.index(bytes.len() - begin);
        bytes[index] ^= flip;
        let (found, good) = read(&bytes).unwrap_or_default();
        prop_assert!(blocks.concat().starts_with(&found));
        prop_assert!(good <= index as u64);
    }

    #[test]
    fn any_bytes_are_read_without_harm(bytes in prop::collection::vec(any::<u8>(), 0..600), blocks in blocks()) {
        if let Ok(mut reader) = SegmentReader::open(bytes.as_slice()) {
            while let Ok(Some(_)) = reader.next_captured() {}
        }
        // Behind a sound beginning, in a record whose checksum is right, and in a block whose compression is right too.
        for behind in [bytes.clone(), fuzz::record(&bytes).unwrap_or_default(), fuzz::compressed(&bytes).unwrap_or_default()] {
            let found = read(&[segment(&blocks), behind].concat()).unwrap_or_default().0;
            prop_assert!(found.starts_with(&blocks.concat()));
        }
    }
}

#[test]
fn what_is_no_segment_is_named() {
    for (bytes, part) in [
        (&b""[..], "ends before its header"),
        (b"TDCA", "ends before its header"),
        (b"TDCAPT1\n\x05\0\0", "ends before its header"),
        (b"PK\x03\x04 and so on", "is no segment"),
    ] {
        let error = SegmentReader::open(bytes).map(drop).unwrap_err();
        assert!(error.to_string().contains(part), "{bytes:?}: {error}");
    }
    let begun = |header: &[u8]| {
        SegmentReader::open(fuzz::beginning(header).unwrap_or_default().as_slice())
            .map(drop)
            .map_err(|error| error.to_string())
    };
    assert_eq!(begun(br#"{"format":2}"#), Err("has layout 2, and this Tapedeck reads 1".to_owned()));
    let named = |name: &str| {
        let mut header = header();
        header.request.markets.push(MarketHeader { name: name.to_owned(), symbol: None });
        begun(&serde_json::to_vec(&header).unwrap_or_default())
    };
    assert_eq!(named("BTC/USD"), Ok(()));
    assert_eq!(named("\u{1b}[2J"), Err("is no segment of a capture".to_owned()));
}
