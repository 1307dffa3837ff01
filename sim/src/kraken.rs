//! Kraken spot: WebSocket v2 and the public part of REST, after docs.kraken.com.

pub(crate) mod frames;
pub(crate) mod pair;
mod requests;
pub(crate) mod rest;
pub(crate) mod session;
