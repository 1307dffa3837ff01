//! Binance spot: market streams after `web-socket-streams.md` and the public part of `rest-api.md` of
//! github.com/binance/binance-spot-api-docs.

pub(crate) mod frames;
mod requests;
pub(crate) mod rest;
pub(crate) mod session;
