//! Everything that needs more than one crate: real guests, real Kafka and ClickHouse. One binary, so that it links once.

#![allow(clippy::unwrap_used, reason = "a failed expectation is what a test is for")]

mod audit;
mod bad_input;
mod chaos;
mod check;
mod commands;
mod containment;
mod deliveries;
mod disks;
mod exactly_once;
mod gaps;
mod hostile;
mod live;
mod outages;
mod recordings;
mod replay;
mod schema;
mod sessions;
mod shutdown;
mod silence;
mod spool;
