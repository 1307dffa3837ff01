//! The scanner, the decimals and the times, each against an independent implementation.

#![allow(clippy::unwrap_used, reason = "helpers of tests panic as tests do")]

#[path = "oracle/decimals.rs"]
mod decimals;
#[path = "oracle/documents.rs"]
mod documents;
#[path = "oracle/json.rs"]
mod json;
#[path = "oracle/times.rs"]
mod times;
