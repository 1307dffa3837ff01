//! A small random generator of our own (SplitMix64), so that one seed means the same tape in every version.

/// A stream of numbers that depends on its seed alone.
#[derive(Clone, Debug)]
pub(crate) struct Random(u64);

impl Random {
    /// A generator for this seed; seeds that are close give unrelated streams.
    pub(crate) fn new(seed: u64) -> Self {
        Self(mix(seed))
    }

    /// The next number.
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        mix(self.0)
    }

    /// A number from 0 to `bound` - 1; 0 for a bound of 0.
    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        ((u128::from(self.next()) * u128::from(bound)) >> 64) as u64
    }

    /// True in so many of a million cases.
    pub(crate) fn chance(&mut self, per_million: u32) -> bool {
        per_million != 0 && self.below(1_000_000) < u64::from(per_million)
    }
}

/// Scatters a number over 64 bits.
pub(crate) fn mix(value: u64) -> u64 {
    let mut mixed = value.wrapping_add(0x9E37_79B9_7F4A_7C15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    mixed ^ (mixed >> 31)
}

/// A number for a text, the same in every run (FNV-1a, scattered).
pub(crate) fn hash_text(text: &str) -> u64 {
    let hash = text
        .bytes()
        .fold(0xCBF2_9CE4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01B3));
    mix(hash)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_a_seed_never_change() {
        let mut random = Random::new(7);
        let first: Vec<u64> = (0..3).map(|_| random.next()).collect();
        assert_eq!(first, [11_984_929_618_412_882_174, 10_134_167_572_453_724_827, 11_146_164_815_057_002_045]);
    }

    #[test]
    fn bounds_hold() {
        let mut random = Random::new(1);
        assert!((0..10_000).all(|_| random.below(10) < 10));
        assert_eq!(random.below(0), 0);
        let hits = (0..100_000).filter(|_| random.chance(50_000)).count();
        assert!((4_500..5_500).contains(&hits), "{hits} of 100,000 at 5 %");
        assert!(!(0..1_000).any(|_| random.chance(0)));
    }
}
