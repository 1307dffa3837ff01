//! The loop that somebody writes by hand who wants one exchange's trades in Kafka and nothing else: no plugins, no ledger, no
//! reconnection, no metrics. It shows what Tapedeck's parts cost.
//!
//! It writes the record that Tapedeck writes, key included, or a lean one; with the settings of its producer.

pub mod producer;
pub mod reader;
pub mod record;
pub mod trade;

mod binance;
mod kraken;
