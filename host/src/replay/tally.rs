//! What a plugin made of a capture, counted.

use std::fmt::Write as _;

use super::Refusals;
use super::repeats::Repeats;
use crate::plugin::Decoded;
use crate::trade::Origin;

/// What one plugin gave.
#[derive(Debug, Default)]
pub struct Tally {
    /// Trades, each once.
    pub trades: u64,
    /// Trades that had come before.
    pub repeated: u64,
    /// Frames that were refused.
    pub refused: Refusals,
    /// Times that the plugin had to be started anew.
    pub faults: u64,
    repeats: Repeats,
}

impl Tally {
    /// Counts a batch, and takes the trades out of it that came before. `at` says where the batch is.
    pub(super) fn add(&mut self, origin: &Origin, decoded: &mut Decoded, at: impl Fn(u32) -> String) {
        let before = decoded.trades.len();
        decoded.trades.retain(|trade| self.repeats.is_new(origin, trade));
        self.trades += decoded.trades.len() as u64;
        self.repeated += (before - decoded.trades.len()) as u64;
        self.faults += u64::from(decoded.faults);
        for refused in &decoded.refused {
            self.refused.add(refused.kind, &refused.reason, || at(refused.frame));
        }
    }

    /// Lines for people, under the plugin's name.
    pub fn text(&self, plugin: &str) -> String {
        let mut text = format!("{plugin}: {} trades", self.trades);
        if self.repeated > 0 {
            let _ = write!(text, " ({} more had come before)", self.repeated);
        }
        let _ = write!(text, ", {} frames refused", self.refused.total());
        if self.faults > 0 {
            let _ = write!(text, ", {} crashes", self.faults);
        }
        text.push('\n');
        text.push_str(&self.refused.lines("  "));
        text
    }
}
