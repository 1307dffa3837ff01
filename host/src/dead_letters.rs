//! Dead letters: which there are, what is in one, and decoding them again with a plugin that takes them.
//!
//! Nothing here changes or removes a letter: their topic keeps them for as long as Kafka is told to.

mod candidates;
mod letter;
mod reader;
mod render;
mod replay;

pub use candidates::Candidates;
pub use letter::{Letter, LetterId};
pub use reader::{Letters, read_one};
pub use render::{LetterList, Summary, page};
pub use replay::{Report, replay};

use std::collections::BTreeSet;

use jiff::Timestamp;

/// Which letters are wanted. What is none does not matter.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// Only of this kind.
    pub kind: Option<String>,
    /// Only frames received at this time or later.
    pub since: Option<Timestamp>,
    /// Only these; all if there are none.
    pub ids: BTreeSet<LetterId>,
}

impl Filter {
    /// Whether a letter is wanted.
    pub fn takes(&self, letter: &Letter) -> bool {
        self.kind.as_deref().is_none_or(|kind| letter.header("kind") == Some(kind))
            && self.since.is_none_or(|since| letter.received_at_us() >= since.as_microsecond())
            && (self.ids.is_empty() || self.ids.contains(&letter.id))
    }
}
