//! The newest ids of a market, for exchanges whose ids do not show what came before.

use std::collections::VecDeque;

use rustc_hash::FxHashSet;

use super::position::Id;
use crate::trade::TradeId;

/// Ids kept. An exchange repeats at most a snapshot, which is 50 to 1,000 trades; the oldest id is forgotten when a new
/// one finds no room.
const ROOM: usize = 4096;

/// Ids that outlive the host.
const KEPT: usize = 256;

/// The newest ids of one market.
#[derive(Debug, Default)]
pub(super) struct Recent {
    known: FxHashSet<TradeId>,
    order: VecDeque<TradeId>,
}

impl Recent {
    /// Whether this id comes for the first time.
    pub(super) fn is_new(&mut self, id: &TradeId) -> bool {
        if !self.known.insert(id.clone()) {
            return false;
        }
        if self.order.len() == ROOM
            && let Some(oldest) = self.order.pop_front()
        {
            self.known.remove(&oldest);
        }
        self.order.push_back(id.clone());
        true
    }

    /// As many of the newest ids as a position keeps, oldest first.
    pub(super) fn newest(&self) -> Vec<Id> {
        let kept = self.order.len().saturating_sub(KEPT);
        self.order.range(kept..).cloned().map(Id::from).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_new_once() {
        let mut recent = Recent::default();
        for (id, expected) in [(5, true), (5, false), (4, true), (4, false)] {
            assert_eq!(recent.is_new(&TradeId::Number(id)), expected, "id {id}");
        }
        let text = TradeId::Text("5".into());
        assert!(recent.is_new(&text) && !recent.is_new(&text));
    }

    #[test]
    fn memory_is_bounded_and_the_oldest_is_forgotten_first() {
        let mut recent = Recent::default();
        for id in 0..=ROOM as u64 {
            assert!(recent.is_new(&TradeId::Number(id)));
        }
        assert!(!recent.is_new(&TradeId::Number(1)), "still known");
        assert!(recent.is_new(&TradeId::Number(0)), "forgotten");
        assert_eq!(recent.known.len(), ROOM);
    }
}
