//! A small capture that unpacks to as much as a block may hold takes little more memory than that, whatever is in it.

use tapedeck::capture::{SegmentReader, fuzz};
use tapedeck_fuzz::memory::peak_of;

const MIB: usize = 1 << 20;

/// The most that a block may hold.
const BLOCK: usize = 48 * MIB;

/// A batch: its kind, connection and time, how many frames it has, and where they end.
fn batch(ends: &[u32]) -> Vec<u8> {
    let mut batch = [[1].as_slice(), &[0; 12], &(ends.len() as u32).to_le_bytes()].concat();
    ends.iter().for_each(|end| batch.extend_from_slice(&end.to_le_bytes()));
    batch
}

#[test]
fn a_bomb_is_as_large_as_a_block() {
    let empty_batches = batch(&[]).repeat(BLOCK / batch(&[]).len());
    let empty_frames = batch(&vec![0; BLOCK / 4 - 5]);
    let one_frame = [batch(&[BLOCK as u32 - 21]), vec![b'x'; BLOCK - 21]].concat();
    for (what, raw) in [("empty batches", empty_batches), ("empty frames", empty_frames), ("one frame", one_frame)] {
        let header = serde_json::to_vec(&fuzz::header()).unwrap();
        let bomb = [fuzz::beginning(&header).unwrap(), fuzz::compressed(&raw).unwrap()].concat();
        drop(raw);
        assert!(bomb.len() < 16 << 10, "{what}: {} bytes", bomb.len());
        let (batches, peak) = peak_of(|| {
            let mut reader = SegmentReader::open(bomb.as_slice()).unwrap();
            std::iter::from_fn(|| reader.next_captured().unwrap()).count()
        });
        println!("{what}: {batches} batches out of {} bytes took {} MiB", bomb.len(), peak / MIB);
        assert!(batches > 0 && peak < 2 * BLOCK + MIB, "{what}: {peak} bytes");
    }
}
