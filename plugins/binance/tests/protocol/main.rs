//! The plugin as the host sees it: plans, frames, answers and pages, after the exchange's documentation.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod backfill;
mod frames;
mod messages;
mod replay;
mod session;
