//! What a market has traded: the truth, and what backfill and snapshots are answered from.

use crate::trade::Trade;

/// The trades of one market in the order of their ids.
#[derive(Debug, Default)]
pub(crate) struct History {
    trades: Vec<Trade>,
    /// How many are kept at least; none keeps all.
    keep: Option<usize>,
}

impl History {
    pub(crate) fn new(keep: Option<usize>) -> Self {
        Self { trades: Vec::new(), keep }
    }

    /// Adds a trade; false if its id is there already.
    pub(crate) fn add(&mut self, trade: Trade) -> bool {
        if self.trades.last().is_none_or(|last| last.id < trade.id) {
            self.trades.push(trade);
        } else {
            // Recordings may overlap, or hold trades out of order.
            match self.trades.binary_search_by_key(&trade.id, |known| known.id) {
                Ok(_) => return false,
                Err(place) => self.trades.insert(place, trade),
            }
        }
        if let Some(keep) = self.keep
            && self.trades.len() > keep.saturating_mul(2).max(1_024)
        {
            self.trades.drain(..self.trades.len() - keep);
        }
        true
    }

    /// All trades that are kept.
    pub(crate) fn all(&self) -> &[Trade] {
        &self.trades
    }

    /// The newest trades, oldest of them first.
    pub(crate) fn newest(&self, limit: usize) -> &[Trade] {
        &self.trades[self.trades.len().saturating_sub(limit)..]
    }

    /// Trades from an id on.
    pub(crate) fn since_id(&self, id: u64, limit: usize) -> &[Trade] {
        let start = self.trades.partition_point(|trade| trade.id < id);
        limited(&self.trades[start..], limit)
    }

    /// Trades, in the order of ids, from the first whose time is one that `before` does not hold for. A late trade
    /// (with a time of hours before) takes the place of its neighbours, as it was published among them.
    pub(crate) fn since_time(&self, before: impl Fn(&Trade) -> bool, limit: usize) -> &[Trade] {
        let (mut low, mut high) = (0, self.trades.len());
        while low < high {
            let middle = low + (high - low) / 2;
            match self.trades[low..=middle].iter().rposition(|trade| !trade.late) {
                Some(place) if before(&self.trades[low + place]) => low = middle + 1,
                Some(place) => high = low + place,
                // Nothing but late trades from low to middle: they go with what follows.
                None => match self.trades[middle..high].iter().position(|trade| !trade.late) {
                    Some(place) if before(&self.trades[middle + place]) => low = middle + place + 1,
                    _ => high = low,
                },
            }
        }
        limited(&self.trades[low..], limit)
    }

    /// Aggregates from the one with this ordinal on: fills of one taker at one price.
    pub(crate) fn aggregates_from(&self, ordinal: u32, limit: usize) -> Vec<&[Trade]> {
        let start = self.trades.partition_point(|trade| trade.aggregate < ordinal);
        self.trades[start..].chunk_by(|a, b| a.aggregate == b.aggregate).take(limit).collect()
    }

    /// The newest aggregates, oldest of them first.
    pub(crate) fn newest_aggregates(&self, limit: usize) -> Vec<&[Trade]> {
        let last = self.trades.last().map_or(0, |trade| trade.aggregate);
        self.aggregates_from(last.saturating_sub(limit.saturating_sub(1) as u32), limit)
    }
}

fn limited(trades: &[Trade], limit: usize) -> &[Trade] {
    &trades[..trades.len().min(limit)]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trade::Side;

    fn trade(id: u64, timestamp_us: i64, late: bool) -> Trade {
        let aggregate = (id / 2) as u32;
        Trade {
            id,
            timestamp_us,
            price: 1,
            quantity: 1,
            aggregate,
            price_scale: 0,
            quantity_scale: 0,
            side: Side::Buy,
            late,
        }
    }

    fn ids(trades: &[Trade]) -> Vec<u64> {
        trades.iter().map(|trade| trade.id).collect()
    }

    #[test]
    fn second_copies_are_not_added() {
        let mut history = History::new(None);
        let added = [3, 5, 3, 4, 5, 1].map(|id| history.add(trade(id, 0, false)));
        assert_eq!(added, [true, true, false, true, false, true]);
        assert_eq!(ids(history.all()), [1, 3, 4, 5]);
        assert_eq!(ids(history.since_id(2, 2)), [3, 4]);
        assert_eq!(ids(history.newest(3)), [3, 4, 5]);
        assert_eq!(history.newest(9).len(), 4);
    }

    #[test]
    fn only_so_many_are_kept() {
        let mut history = History::new(Some(1_000));
        (0..10_000).for_each(|id| assert!(history.add(trade(id, 0, false))));
        assert!((1_000..=2_000).contains(&history.all().len()));
        assert_eq!(history.newest(1)[0].id, 9_999);
    }

    #[test]
    fn a_search_by_time_steps_over_late_trades() {
        // Every pattern of late trades among twelve, every cut: the same answer as a search from the front.
        for pattern in 0_u32..1 << 12 {
            let mut history = History::new(None);
            for id in 0..12 {
                let late = pattern >> id & 1 == 1;
                history.add(trade(id, if late { 1 } else { 100 + id as i64 }, late));
            }
            for cut in [99, 100, 105, 111, 112] {
                let found = history.since_time(|trade| trade.timestamp_us < cut, 99);
                let on_time: Vec<u64> = ids(history.all()).into_iter().filter(|id| pattern >> id & 1 == 0).collect();
                let first = on_time.iter().find(|id| 100 + **id as i64 >= cut);
                let last_before = on_time.iter().rev().find(|id| 100 + (**id as i64) < cut);
                // Late trades between the two may be on either side; nothing on time may be lost or too early.
                let start = found.first().map_or(12, |trade| trade.id);
                assert!(first.is_none_or(|first| start <= *first), "pattern {pattern:b} cut {cut}");
                assert!(last_before.is_none_or(|last| start > *last), "pattern {pattern:b} cut {cut}");
            }
        }
    }

    #[test]
    fn aggregates_are_found_by_ordinal() {
        let mut history = History::new(None);
        (10..20).for_each(|id| assert!(history.add(trade(id, 0, false))));
        let firsts = |groups: Vec<&[Trade]>| groups.iter().map(|group| group[0].id).collect::<Vec<_>>();
        assert_eq!(firsts(history.aggregates_from(6, 2)), [12, 14]);
        assert_eq!(firsts(history.newest_aggregates(2)), [16, 18]);
        assert_eq!(firsts(history.aggregates_from(99, 2)), [0; 0]);
    }
}
