//! Records on their way, counted at both ends: where they are handed over, and where Kafka's answers come in.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};

use crossbeam_utils::CachePadded;
use prometheus_client::encoding::{EncodeMetric, MetricEncoder};
use prometheus_client::metrics::MetricType;

/// A stretch of time between two checkpoints. There are two at most: the running one, and the one before it, of which
/// records may still be on their way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Epoch(pub(super) u8);

/// How many records were ever handed over and settled, by epoch. The two ends work on different processors: each has a
/// cache line of its own, or every record would wait for the other's. Cheap to clone; all clones are one tally.
#[derive(Clone, Debug, Default)]
pub struct Tally(Arc<Ends>);

#[derive(Debug, Default)]
struct Ends {
    epoch: CachePadded<AtomicU8>,
    handed_over: CachePadded<[AtomicU64; 2]>,
    settled: CachePadded<[AtomicU64; 2]>,
}

impl Tally {
    /// Counts a record as on its way; returns the epoch that it belongs to.
    pub(super) fn hand_over(&self) -> Epoch {
        let ends = &*self.0;
        loop {
            let epoch = Epoch(ends.epoch.load(Ordering::SeqCst));
            let count = epoch.of(&ends.handed_over);
            count.fetch_add(1, Ordering::SeqCst);
            // Whoever begins an epoch counts what the one before it has on its way: this record may not come later.
            if ends.epoch.load(Ordering::SeqCst) == epoch.0 {
                return epoch;
            }
            count.fetch_sub(1, Ordering::SeqCst);
        }
    }

    /// A record is acknowledged, or was not taken at all.
    pub(super) fn settle(&self, epoch: Epoch) {
        epoch.of(&self.0.settled).fetch_add(1, Ordering::SeqCst);
    }

    /// Begins a new epoch; returns the one that ended. All of the one before that must have arrived.
    pub(super) fn begin_epoch(&self) -> Epoch {
        Epoch(self.0.epoch.fetch_xor(1, Ordering::SeqCst))
    }

    /// Whether everything that was handed over in an epoch is settled.
    pub(super) fn arrived(&self, epoch: Epoch) -> bool {
        self.on_their_way(epoch) == 0
    }

    /// Records that are handed over and not settled.
    pub(super) fn in_flight(&self) -> u64 {
        self.on_their_way(Epoch(0)) + self.on_their_way(Epoch(1))
    }

    /// What is settled is read first, so that it is never more than what was handed over.
    fn on_their_way(&self, epoch: Epoch) -> u64 {
        let settled = epoch.of(&self.0.settled).load(Ordering::SeqCst);
        epoch.of(&self.0.handed_over).load(Ordering::SeqCst).saturating_sub(settled)
    }
}

impl Epoch {
    fn of(self, [even, odd]: &[AtomicU64; 2]) -> &AtomicU64 {
        if self.0 == 0 { even } else { odd }
    }
}

/// As a figure: how many records wait for Kafka's acknowledgement.
impl EncodeMetric for Tally {
    fn encode(&self, mut encoder: MetricEncoder<'_>) -> Result<(), fmt::Error> {
        encoder.encode_gauge(&self.in_flight().cast_signed())
    }

    fn metric_type(&self) -> MetricType {
        MetricType::Gauge
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_epoch_has_arrived_once_its_own_records_have() {
        let tally = Tally::default();
        let (first, second) = (tally.hand_over(), tally.hand_over());
        let ended = tally.begin_epoch();
        let later = tally.hand_over();
        assert!(!tally.arrived(ended));
        tally.settle(second);
        assert!(!tally.arrived(ended));
        tally.settle(first);
        assert!(tally.arrived(ended), "though a later record is on its way");
        assert_eq!(tally.in_flight(), 1);
        let ended = tally.begin_epoch();
        assert!(!tally.arrived(ended));
        tally.settle(later);
        assert!(tally.arrived(ended));
    }

    #[test]
    fn no_record_is_missed_by_the_epoch_that_it_was_handed_over_in() {
        let tally = Tally::default();
        let accepted = AtomicU64::new(0);
        let settled = AtomicU64::new(0);
        std::thread::scope(|scope| {
            let sender = scope.spawn(|| {
                for _ in 0..200_000 {
                    let epoch = tally.hand_over();
                    accepted.fetch_add(1, Ordering::SeqCst);
                    settled.fetch_add(1, Ordering::SeqCst);
                    tally.settle(epoch);
                }
            });
            while !sender.is_finished() {
                let seen = accepted.load(Ordering::SeqCst);
                let ended = tally.begin_epoch();
                while !tally.arrived(ended) {
                    std::hint::spin_loop();
                }
                assert!(settled.load(Ordering::SeqCst) >= seen);
            }
        });
        assert_eq!(tally.in_flight(), 0);
    }
}
