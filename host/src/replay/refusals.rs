//! What was refused, counted by reason.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use crate::plugin::{RefusalKind, bounded_escaped};

/// Reasons that are told apart; what comes beyond is counted together.
const MAX_REASONS: usize = 200;

/// Reasons that are shown.
const SHOWN: usize = 12;

/// Bytes of a reason that is shown.
const MAX_SHOWN: usize = 200;

/// Refusals by kind and reason, in bounded memory.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Refusals {
    total: u64,
    by_reason: BTreeMap<(&'static str, String), Entry>,
    beyond: u64,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Entry {
    count: u64,
    example: String,
}

impl Refusals {
    /// Counts one; `example` names what was refused, and is kept for the first of its reason.
    pub fn add(&mut self, kind: RefusalKind, reason: &str, example: impl FnOnce() -> String) {
        self.total += 1;
        let reason = bounded_escaped(reason, MAX_SHOWN);
        let key = (kind.as_str(), reason);
        if self.by_reason.len() >= MAX_REASONS && !self.by_reason.contains_key(&key) {
            self.beyond += 1;
            return;
        }
        let entry = self.by_reason.entry(key).or_insert_with(|| Entry { count: 0, example: example() });
        entry.count += 1;
    }

    /// How many there were.
    pub fn total(&self) -> u64 {
        self.total
    }

    /// A line for each reason, the most frequent first; every line begins with `indent`.
    pub fn lines(&self, indent: &str) -> String {
        let mut entries: Vec<_> = self.by_reason.iter().collect();
        entries.sort_by_key(|(_, entry)| std::cmp::Reverse(entry.count));
        let mut text = String::new();
        for ((kind, reason), Entry { count, example }) in entries.iter().take(SHOWN) {
            let _ = writeln!(text, "{indent}{count} {kind}: {reason} ({example})");
        }
        let hidden: u64 = entries.iter().skip(SHOWN).map(|(_, entry)| entry.count).sum::<u64>() + self.beyond;
        if hidden > 0 {
            let _ = writeln!(text, "{indent}{hidden} for other reasons");
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reasons_are_counted_and_bounded() {
        let mut refusals = Refusals::default();
        for number in 0..1000 {
            refusals.add(RefusalKind::Refused, &format!("reason {number} \u{1b}[2J"), || number.to_string());
            refusals.add(RefusalKind::Trap, "always", || number.to_string());
        }
        assert_eq!(refusals.total(), 2000);
        let lines = refusals.lines("  ");
        assert!(lines.starts_with("  1000 trap: always (0)\n"), "{lines}");
        assert!(lines.lines().count() == SHOWN + 1 && !lines.contains('\u{1b}'), "{lines}");
        assert!(lines.ends_with("  989 for other reasons\n"), "{lines}");
    }
}
