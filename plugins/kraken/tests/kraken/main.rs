//! The plugin, natively: one file for each thing that it does.

#![allow(clippy::unwrap_used, reason = "helpers of tests panic as tests do")]

mod backfill;
mod frames;
mod messages;
mod plan;
