//! Decoding again what was received before: dead letters and captures, with any plugin.
//!
//! A plugin has no clock and no state but what it was given, so the same frames give the same trades.

mod capture;
mod choice;
mod compare;
mod decoder;
mod outlet;
mod refusals;
mod repeats;
mod tally;

pub use capture::{Report, Run, replay};
pub use choice::{load_file, newest, runtime};
pub use compare::Differences;
pub use decoder::Decoder;
pub use outlet::Outlet;
pub use refusals::Refusals;
pub use tally::Tally;
