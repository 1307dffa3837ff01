//! Which ids of a market came, where ids have no holes of their own.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;

/// The most holes that are kept apart; beyond it the two that lie closest become one, which asks for trades between
/// them again rather than forget that others are missing.
pub(super) const MAX_HOLES: usize = 1024;

/// How far before the first id seen an id still counts as one that came out of order, as the first ones of a connection may.
const OUT_OF_ORDER: u64 = 1_000;

/// Ids that came: all from the first one seen up to the newest, without the holes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Coverage {
    bounds: Option<Bounds>,
    /// First id of a hole → its last.
    holes: BTreeMap<u64, u64>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Bounds {
    floor: u64,
    newest: u64,
}

/// What is to be thought of an id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Came {
    /// It is the one that was due, the first of all, or one of a hole.
    New,
    /// It is new, and these between it and the others did not come.
    Apart(RangeInclusive<u64>),
    /// It came before.
    Known,
    /// It is far older than the first one seen, and tells nothing of what lies between.
    Before,
}

impl Coverage {
    /// Coverage that was written down: floor, newest id, holes.
    pub(super) fn restore(floor: u64, newest: u64, holes: impl IntoIterator<Item = (u64, u64)>) -> Self {
        let inside = |(first, last): &(u64, u64)| floor <= *first && first <= last && *last < newest;
        let bounds = Some(Bounds { floor, newest: newest.max(floor) });
        Self { bounds, holes: holes.into_iter().filter(inside).take(MAX_HOLES).collect() }
    }

    /// The first id seen and the newest.
    pub(super) fn bounds(&self) -> Option<(u64, u64)> {
        self.bounds.map(|bounds| (bounds.floor, bounds.newest))
    }

    /// What did not come, oldest first.
    pub(super) fn holes(&self) -> impl Iterator<Item = RangeInclusive<u64>> + '_ {
        self.holes.iter().map(|(first, last)| *first..=*last)
    }

    /// What did not come of these ids.
    pub(super) fn missing_of(&self, ids: &RangeInclusive<u64>) -> Vec<RangeInclusive<u64>> {
        let (first, last) = (*ids.start(), *ids.end());
        let before = self.holes.range(..first).next_back();
        let touching = before.into_iter().chain(self.holes.range(first..=last));
        touching
            .map(|(from, to)| (*from).max(first)..=(*to).min(last))
            .filter(|range| range.start() <= range.end())
            .collect()
    }

    /// Takes ids in: one, or the row of ids that an aggregated trade stands for.
    pub(super) fn insert(&mut self, ids: RangeInclusive<u64>) -> Came {
        let (first, last) = (*ids.start(), *ids.end());
        let Some(bounds) = &mut self.bounds else {
            self.bounds = Some(Bounds { floor: first, newest: last });
            return Came::New;
        };
        if last > bounds.newest {
            let due = bounds.newest + 1;
            bounds.newest = last;
            if first <= due {
                // The row may also reach back over a hole.
                self.fill(&(first..=due));
                return Came::New;
            }
            self.open(due, first - 1);
            return Came::Apart(due..=first - 1);
        }
        if last < bounds.floor {
            if bounds.floor - last > OUT_OF_ORDER {
                return Came::Before;
            }
            let missing = last + 1..=bounds.floor - 1;
            bounds.floor = first;
            if missing.is_empty() {
                return Came::New;
            }
            self.open(*missing.start(), *missing.end());
            return Came::Apart(missing);
        }
        if self.holes.is_empty() { Came::Known } else { self.fill(&ids) }
    }

    /// Takes ids out of the holes.
    pub(super) fn fill(&mut self, ids: &RangeInclusive<u64>) -> Came {
        let parts = self.missing_of(ids);
        for part in &parts {
            let (first, last) = (*part.start(), *part.end());
            let Some((from, to)) = self.holes.range(..=first).next_back().map(|(from, to)| (*from, *to)) else {
                continue;
            };
            self.holes.remove(&from);
            if from < first {
                self.holes.insert(from, first - 1);
            }
            if last < to {
                self.holes.insert(last + 1, to);
            }
        }
        if parts.is_empty() { Came::Known } else { Came::New }
    }

    fn open(&mut self, first: u64, last: u64) {
        self.holes.insert(first, last);
        if self.holes.len() <= MAX_HOLES {
            return;
        }
        let pairs = self.holes.iter().zip(self.holes.keys().skip(1));
        let closest = pairs.min_by_key(|((_, last), next)| *next - *last).map(|((first, _), next)| (*first, *next));
        if let Some((first, next)) = closest
            && let Some(last) = self.holes.remove(&next)
        {
            self.holes.insert(first, last);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_jump_opens_a_hole_that_closes_from_any_side() {
        let mut coverage = Coverage::default();
        assert_eq!(coverage.insert(10..=10), Came::New);
        assert_eq!(coverage.insert(11..=11), Came::New);
        assert_eq!(coverage.insert(11..=11), Came::Known);
        assert_eq!(coverage.insert(16..=16), Came::Apart(12..=15));
        assert_eq!(coverage.insert(13..=13), Came::New);
        assert_eq!(coverage.holes().collect::<Vec<_>>(), [12..=12, 14..=15]);
        assert_eq!(coverage.missing_of(&(12..=14)), [12..=12, 14..=14]);
        assert_eq!(coverage.insert(13..=13), Came::Known);
        for id in [15, 12, 14] {
            assert_eq!(coverage.insert(id..=id), Came::New);
        }
        assert_eq!((coverage.holes().count(), coverage.bounds()), (0, Some((10, 16))));
    }

    #[test]
    fn what_comes_before_the_first_is_out_of_order_if_it_is_near() {
        let mut coverage = Coverage::default();
        assert_eq!(coverage.insert(5_000..=5_000), Came::New);
        assert_eq!(coverage.insert(4_999..=4_999), Came::New);
        assert_eq!(coverage.insert(4_990..=4_995), Came::Apart(4_996..=4_998));
        assert_eq!(coverage.insert(3_989..=3_989), Came::Before);
        assert_eq!(coverage.insert(4_990..=4_990), Came::Known);
        assert_eq!(coverage.holes().collect::<Vec<_>>(), [4_996..=4_998]);
        assert_eq!(coverage.bounds(), Some((4_990, 5_000)));
    }

    #[test]
    fn an_aggregated_trade_may_jump_by_what_it_stands_for() {
        let mut coverage = Coverage::default();
        coverage.insert(1..=1);
        assert_eq!(coverage.insert(2..=5), Came::New);
        assert_eq!(coverage.insert(8..=9), Came::Apart(6..=7));
        assert_eq!(coverage.insert(5..=6), Came::New, "a part of it is new");
        assert_eq!(coverage.holes().collect::<Vec<_>>(), [7..=7]);
    }

    #[test]
    fn holes_are_bounded_and_none_is_forgotten() {
        let mut coverage = Coverage::default();
        for id in (0..=MAX_HOLES as u64 + 10).map(|number| number * 3) {
            coverage.insert(id..=id);
        }
        assert_eq!(coverage.holes.len(), MAX_HOLES);
        for id in 0..=3 * (MAX_HOLES as u64 + 10) {
            assert!(id % 3 == 0 || coverage.missing_of(&(id..=id)).len() == 1, "{id} is missing and not known to be");
        }
    }

    #[test]
    fn the_ends_of_the_numbers_are_ids_like_others() {
        let mut coverage = Coverage::default();
        assert_eq!(coverage.insert(0..=0), Came::New);
        assert_eq!(coverage.insert(u64::MAX..=u64::MAX), Came::Apart(1..=u64::MAX - 1));
        assert_eq!(coverage.insert(u64::MAX..=u64::MAX), Came::Known);
        assert_eq!(coverage.insert(1..=1), Came::New);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_000))]

        /// Against the plain set of ids that came.
        #[test]
        fn it_knows_what_a_set_knows(ids in prop::collection::vec((0..60_u64, 0..4_u64), 1..120)) {
            let mut coverage = Coverage::default();
            let mut set = BTreeSet::new();
            let mut floor = ids[0].0;
            for (first, more) in ids {
                let row = first..=first + more;
                floor = if *row.end() < floor { first } else { floor };
                let fresh = row.clone().any(|id| id >= floor && !set.contains(&id));
                let came = coverage.insert(row.clone());
                match came {
                    Came::Before => prop_assert!(false, "all are near"),
                    Came::Known => prop_assert!(!fresh),
                    Came::New | Came::Apart(_) => prop_assert!(fresh),
                }
                set.extend(row.filter(|id| *id >= floor));
                let newest = set.last().copied().unwrap_or(floor);
                let missing: Vec<u64> = (floor..=newest).filter(|id| !set.contains(id)).collect();
                prop_assert_eq!(coverage.holes().flatten().collect::<Vec<_>>(), missing);
                let restored = Coverage::restore(floor, newest, coverage.holes().map(|hole| (*hole.start(), *hole.end())));
                prop_assert_eq!(&restored, &coverage);
            }
        }
    }
}
