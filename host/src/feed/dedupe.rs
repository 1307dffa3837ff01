//! Trades that a session has had already: a snapshot repeats what came live, a reconnect repeats a snapshot.
//!
//! This is a courtesy to readers of Kafka; what it forgets, silver absorbs.

use std::collections::VecDeque;

use rustc_hash::FxHashSet;

use crate::trade::TradeId;

/// Ids kept for each market. An exchange repeats at most a snapshot, which is 50 to 1,000 trades; the oldest id is
/// forgotten when a new one finds no room.
const IDS_PER_MARKET: usize = 4096;

/// The newest ids of each market of a session.
#[derive(Debug)]
pub(super) struct Dedupe {
    markets: Vec<Recent>,
}

#[derive(Debug, Default)]
struct Recent {
    known: FxHashSet<TradeId>,
    order: VecDeque<TradeId>,
}

impl Dedupe {
    pub(super) fn new(markets: usize) -> Self {
        Self { markets: (0..markets).map(|_| Recent::default()).collect() }
    }

    /// Whether this is the first time that the session has this trade.
    pub(super) fn is_new(&mut self, market: u32, id: &TradeId) -> bool {
        let Some(recent) = self.markets.get_mut(market as usize) else { return true };
        if !recent.known.insert(id.clone()) {
            return false;
        }
        if recent.order.len() == IDS_PER_MARKET
            && let Some(oldest) = recent.order.pop_front()
        {
            recent.known.remove(&oldest);
        }
        recent.order.push_back(id.clone());
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trade_is_new_once_in_each_market() {
        let mut dedupe = Dedupe::new(2);
        for (market, id, expected) in [(0, 5, true), (0, 5, false), (1, 5, true), (0, 4, true), (0, 4, false)] {
            assert_eq!(dedupe.is_new(market, &TradeId::Number(id)), expected, "market {market}, id {id}");
        }
        let text = TradeId::Text("5".into());
        assert!(dedupe.is_new(0, &text) && !dedupe.is_new(0, &text));
    }

    #[test]
    fn memory_is_bounded_and_the_oldest_is_forgotten_first() {
        let mut dedupe = Dedupe::new(1);
        for id in 0..=IDS_PER_MARKET as u64 {
            assert!(dedupe.is_new(0, &TradeId::Number(id)));
        }
        assert!(!dedupe.is_new(0, &TradeId::Number(1)), "still known");
        assert!(dedupe.is_new(0, &TradeId::Number(0)), "forgotten");
        assert_eq!(dedupe.markets.first().map(|recent| recent.known.len()), Some(IDS_PER_MARKET));
    }
}
