//! Trades that came before: an exchange repeats some after a reconnect, and two connections bring each twice.

use std::collections::{HashMap, HashSet, VecDeque};

use crate::trade::{Origin, Trade, TradeId};

/// Ids remembered for each market; a repetition farther apart is passed on, and absorbed by silver.
const REMEMBERED: usize = 1 << 16;

/// The ids that came last, by exchange and market.
#[derive(Debug, Default)]
pub(super) struct Repeats {
    markets: HashMap<(String, String), Window>,
}

#[derive(Debug, Default)]
struct Window {
    known: HashSet<TradeId>,
    order: VecDeque<TradeId>,
}

impl Repeats {
    /// Whether a trade did not come before.
    pub(super) fn is_new(&mut self, origin: &Origin, trade: &Trade) -> bool {
        let Some(instrument) = origin.instruments.get(trade.market as usize) else { return true };
        let key = (origin.exchange.clone(), instrument.canonical_symbol.clone());
        let window = self.markets.entry(key).or_default();
        if !window.known.insert(trade.id.clone()) {
            return false;
        }
        window.order.push_back(trade.id.clone());
        if window.order.len() > REMEMBERED
            && let Some(oldest) = window.order.pop_front()
        {
            window.known.remove(&oldest);
        }
        true
    }
}
