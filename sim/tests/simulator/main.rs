//! The simulator as its clients see it: real sockets, real HTTP.
#![allow(clippy::unwrap_used)]

mod client;

mod binance;
mod faults;
mod kraken;
mod process;
mod recordings;
mod rest;
mod tape;
