//! What becomes of a file: bytes are changed, its end is cut off, and something else stands there.

use tapedeck::plugin::fuzz::Input;

/// A file that was damaged, or not.
pub(super) struct Damaged {
    pub(super) bytes: Vec<u8>,
    /// How many of the bytes, from the first, are as they were.
    pub(super) intact: usize,
    /// Whether at most one byte was changed and none appended: no checksum of 32 bits misses that.
    pub(super) is_plain: bool,
}

/// Damages a file at the places that the input says.
pub(super) fn damage(whole: &[u8], input: &mut Input<'_>) -> Damaged {
    let mut bytes = whole.to_vec();
    for _ in 0..input.byte() % 5 {
        let kind = input.byte();
        let place = usize::from(u16::from_le_bytes([input.byte(), input.byte()])) % (bytes.len() + 1);
        match kind % 4 {
            0 => bytes.truncate(place),
            1 => bytes.iter_mut().skip(place).take(1).for_each(|byte| *byte ^= kind | 1),
            2 => bytes.extend_from_slice(input.bytes(place % 256)),
            _ => bytes.extend(std::iter::repeat_n(0, place % 256)),
        }
    }
    let same = || whole.iter().zip(&bytes).map(|(before, after)| before == after);
    Damaged {
        intact: same().take_while(|same| *same).count(),
        is_plain: same().filter(|same| !same).count() <= 1 && bytes.len() <= whole.len(),
        bytes,
    }
}

/// How many parts, which end at these places, lie within the first bytes.
pub(super) fn parts_within(ends: &[usize], bytes: usize) -> usize {
    ends.iter().take_while(|end| **end <= bytes).count()
}
