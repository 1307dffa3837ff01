//! Runs of digits, eight at a time.

const ZEROS: u64 = 0x3030_3030_3030_3030;
const HIGHS: u64 = 0x8080_8080_8080_8080;

/// As many digits fit into 64 bits whatever they are.
pub(super) const MAX_DIGITS: usize = 19;

/// Ten to the power of the index.
pub(super) const POWERS: [u64; MAX_DIGITS + 1] = {
    let mut powers = [1; MAX_DIGITS + 1];
    let mut exponent = 1;
    while exponent <= MAX_DIGITS {
        powers[exponent] = powers[exponent - 1] * 10;
        exponent += 1;
    }
    powers
};

/// Where the digits that start here end, and their number: of use only if they are at most [`MAX_DIGITS`].
#[inline(always)]
pub(super) fn read(bytes: &[u8], start: usize) -> (usize, u64) {
    let mut at = start;
    let mut number: u64 = 0;
    while let Some(chunk) = bytes.get(at..).and_then(<[u8]>::first_chunk) {
        let digits = u64::from_le_bytes(*chunk) ^ ZEROS;
        // A byte above 9 gets its highest bit, by the sum or as it came; nothing carries into the next byte.
        let others = (digits | (digits & !HIGHS).wrapping_add(0x7676_7676_7676_7676)) & HIGHS;
        if others == 0 {
            number = number.wrapping_mul(100_000_000).wrapping_add(eight(digits));
            at += 8;
            continue;
        }
        let bits = others.trailing_zeros() & !7;
        if bits > 0 {
            let count = (bits / 8) as usize;
            // Moved up, the digits have zeros before them.
            number = number.wrapping_mul(POWERS[count]).wrapping_add(eight(digits << (64 - bits)));
            at += count;
        }
        return (at, number);
    }
    while let Some(digit @ b'0'..=b'9') = bytes.get(at) {
        number = number.wrapping_mul(10).wrapping_add(u64::from(digit - b'0'));
        at += 1;
    }
    (at, number)
}

/// The number of eight digits, the first in the lowest byte: neighbours are joined to pairs, pairs to fours, fours to all.
#[inline(always)]
fn eight(digits: u64) -> u64 {
    let pairs = digits.wrapping_mul(10).wrapping_add(digits >> 8) & 0x00FF_00FF_00FF_00FF;
    let fours = pairs.wrapping_mul(100).wrapping_add(pairs >> 16) & 0x0000_FFFF_0000_FFFF;
    fours.wrapping_mul(10_000).wrapping_add(fours >> 32) & 0xFFFF_FFFF
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_runs_of_any_length_at_any_place() {
        let text = "1234567890123456789";
        for length in 0..=text.len() {
            let expected = text[..length].parse().unwrap_or(0);
            for before in 0..9 {
                for behind in ["", "x", "/........", ":.......", "\u{b1}........", ".1234567"] {
                    let bytes = format!("{}{}{behind}", "-".repeat(before), &text[..length]);
                    assert_eq!(read(bytes.as_bytes(), before), (before + length, expected), "{bytes}");
                }
            }
        }
    }
}
