//! Ranges of offsets, and the holes in them.

use std::collections::HashMap;

/// Offsets that are counted together.
pub(super) const BUCKET: u64 = 65_536;

/// Offsets from one up to, and without, another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Range {
    pub(super) from: u64,
    pub(super) to: u64,
}

/// The parts of a range, a bucket each, of which fewer offsets are held than there are.
pub(super) fn incomplete(wanted: Range, held: &HashMap<u64, u64>) -> Vec<Range> {
    let buckets = wanted.from / BUCKET..wanted.to.div_ceil(BUCKET);
    buckets
        .map(|bucket| {
            let part = Range { from: wanted.from.max(bucket * BUCKET), to: wanted.to.min((bucket + 1) * BUCKET) };
            (part, held.get(&bucket).copied().unwrap_or(0))
        })
        .filter(|(part, count)| *count < part.to - part.from)
        .map(|(part, _)| part)
        .collect()
}

/// What is missing in a range of which these offsets, sorted, are there.
pub(super) fn holes_between(range: Range, there: &[u64]) -> Vec<Range> {
    let mut holes = Vec::new();
    let mut next = range.from;
    for &offset in there.iter().chain([&range.to]) {
        if offset > next {
            holes.push(Range { from: next, to: offset });
        }
        next = offset + 1;
    }
    holes
}

/// The same ranges, sorted, with those that touch each other as one.
pub(super) fn joined(ranges: Vec<Range>) -> Vec<Range> {
    let mut joined: Vec<Range> = Vec::new();
    for range in ranges {
        match joined.last_mut() {
            Some(last) if last.to == range.from => last.to = range.to,
            _ => joined.push(range),
        }
    }
    joined
}

#[cfg(test)]
mod tests {
    use super::*;

    fn range(from: u64, to: u64) -> Range {
        Range { from, to }
    }

    #[test]
    fn holes_are_what_is_between() {
        assert_eq!(holes_between(range(3, 8), &[3, 4, 5, 6, 7]), []);
        assert_eq!(holes_between(range(3, 8), &[4, 6]), [range(3, 4), range(5, 6), range(7, 8)]);
        assert_eq!(holes_between(range(3, 8), &[]), [range(3, 8)]);
    }

    #[test]
    fn only_buckets_with_a_hole_are_looked_into() {
        let held = HashMap::from([(0, BUCKET - 10), (1, BUCKET - 1), (3, 5)]);
        let wanted = range(10, 3 * BUCKET + 5);
        let parts = incomplete(wanted, &held);
        assert_eq!(parts, [range(BUCKET, 2 * BUCKET), range(2 * BUCKET, 3 * BUCKET)]);
        assert_eq!(joined(vec![range(1, 2), range(2, 5), range(6, 7)]), [range(1, 5), range(6, 7)]);
    }
}
