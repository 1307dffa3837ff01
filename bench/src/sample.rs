//! What one run of a contender measured.

use serde::{Deserialize, Serialize};

use crate::unit::Unit;

/// A measured value with its name.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Figure {
    /// What it is, as tables name it.
    pub name: String,
    /// In the base unit.
    pub value: f64,
    /// What it counts.
    pub unit: Unit,
}

/// The figures of one run.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Sample {
    figures: Vec<Figure>,
}

impl Sample {
    /// A sample without figures.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The same with one more figure.
    #[must_use]
    pub fn with(mut self, name: &str, value: f64, unit: Unit) -> Self {
        self.figures.push(Figure { name: name.to_owned(), value, unit });
        self
    }

    /// The figure of this name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Figure> {
        self.figures.iter().find(|figure| figure.name == name)
    }

    /// All figures, in the order in which they were added.
    #[must_use]
    pub fn figures(&self) -> &[Figure] {
        &self.figures
    }
}
