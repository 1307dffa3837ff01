//! Simulated days of one feed, for tests: the host's own session, ledger, healer, sink and spool, wired as in production,
//! with an exchange and a Kafka in memory and in simulated time.
//!
//! A day follows wholly from its seed: one thread, one clock that stands still while anything happens, one generator.
//! The exchange cuts, refuses, delays, repeats, reorders and loses; Kafka is away; the host is killed. Whatever is accepted
//! is watched as it happens, and once trouble has ended everything must have come or be listed as missing.

mod day;
mod exchange;
mod host;
mod link;
mod market;
mod plan;
mod plugin;
mod rest;
mod tests;
mod time;
mod world;

pub(crate) use time::{is_on, now_us};
