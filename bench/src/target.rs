//! What was aimed for, and whether it was reached.

use serde::{Deserialize, Serialize};

use crate::statistics::Summary;
use crate::unit::Unit;

/// A figure that was aimed for. It passes or fails nothing: it is a line of the report.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Target {
    /// What is measured.
    pub what: String,
    /// The unit of what follows.
    pub unit: Unit,
    /// What was aimed for.
    pub wanted: f64,
    /// Whether it is met at or below what was wanted; at or above it otherwise.
    pub at_most: bool,
    /// What was reached; none if it could not be measured.
    pub reached: Option<Summary>,
    /// The reason, where it was not met; or what else there is to say.
    pub note: String,
}

impl Target {
    /// Aims for at least this much.
    #[must_use]
    pub fn at_least(what: &str, wanted: f64, unit: Unit, reached: Option<Summary>) -> Self {
        Self { what: what.to_owned(), unit, wanted, at_most: false, reached, note: String::new() }
    }

    /// Aims for no more than this.
    #[must_use]
    pub fn at_most(what: &str, wanted: f64, unit: Unit, reached: Option<Summary>) -> Self {
        Self { at_most: true, ..Self::at_least(what, wanted, unit, reached) }
    }

    /// The same with a note.
    #[must_use]
    pub fn note(mut self, note: &str) -> Self {
        note.clone_into(&mut self.note);
        self
    }

    /// The same with a note that is wanted only where it is not met.
    #[must_use]
    pub fn reason(self, reason: &str) -> Self {
        if self.is_met() == Some(false) { self.note(reason) } else { self }
    }

    /// Whether the median meets it; none if it could not be measured.
    #[must_use]
    pub fn is_met(&self) -> Option<bool> {
        let reached = self.reached?.median;
        Some(if self.at_most { reached <= self.wanted } else { reached >= self.wanted })
    }

    /// Its row: what, wanted, reached, met, note.
    pub(crate) fn cells(&self) -> [String; 5] {
        let bound = if self.at_most { "≤" } else { "≥" };
        let reached = self.reached.map_or_else(|| "not measured".to_owned(), |reached| self.unit.show(reached.median));
        let met = match self.is_met() {
            Some(true) => "yes",
            Some(false) => "no",
            None => "–",
        };
        [
            self.what.clone(),
            format!("{bound} {}", self.unit.show(self.wanted)),
            reached,
            met.to_owned(),
            self.note.clone(),
        ]
    }
}

/// Headings of [`Target::cells`].
pub(crate) const HEAD: [&str; 5] = ["target", "wanted", "reached", "met", "note"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_is_met_on_its_own_side() {
        let reached = Summary::of(&[2.0]);
        assert_eq!(Target::at_least("a", 1.5, Unit::Times, reached).is_met(), Some(true));
        let missed = Target::at_most("b", 1.5, Unit::Times, reached).reason("two copies");
        assert_eq!(missed.cells(), ["b", "≤ 1.50×", "2.00×", "no", "two copies"].map(str::to_owned));
        assert_eq!(Target::at_most("c", 1.5, Unit::Times, None).reason("two copies").is_met(), None);
    }
}
