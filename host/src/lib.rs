//! Tapedeck's runtime: from a WebSocket frame to a trade in Kafka, and to exact candles in ClickHouse.
//!
//! The modules stand in the order of the data flow. `session` knows neither Kafka nor WebAssembly, `plugin` does no
//! input or output, `sink` knows no WebSocket; `run` joins them.

pub mod config;

pub mod frames;
pub mod net;
pub mod rest;
pub mod session;

pub mod capture;

pub mod plugin;

pub mod feed;
pub mod heal;
pub mod ledger;
pub mod trade;

pub mod sink;

pub mod run;

pub mod dead_letters;
pub mod replay;

pub mod schema;

pub mod candles;

pub mod audit;

pub mod check;

pub mod cli;

pub mod clock;
pub mod http;
pub mod log;
pub mod metrics;

#[cfg(test)]
mod simulation;
