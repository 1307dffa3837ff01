//! What a plugin is asked when a connection is to be opened.

use super::bindings::tapedeck::plugin::types;

/// A market that the user asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Market {
    /// Canonical name, `BASE/QUOTE`.
    pub name: String,
    /// The exchange's own spelling, where the user gives it.
    pub symbol: Option<String>,
}

/// What a plugin is asked to open: one connection's markets.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OpenRequest {
    /// The markets; the plugin's market indices are indices of this list.
    pub markets: Vec<Market>,
    /// Base of the WebSocket url, `ws://…` or `wss://…`, in place of the exchange's own.
    pub endpoint: Option<String>,
    /// Base of REST urls, `http://…` or `https://…`, in place of the exchange's own.
    pub rest_endpoint: Option<String>,
    /// The feed's options, key and value.
    pub settings: Vec<(String, String)>,
    /// Whether urls without TLS (`ws://`, `http://`) are accepted.
    pub allow_plain: bool,
}

impl OpenRequest {
    /// Lends the request in the form that crosses into the sandbox.
    pub(super) fn ask<T>(&self, ask: impl FnOnce(types::OpenRequest<'_>) -> T) -> T {
        let markets: Vec<_> = self
            .markets
            .iter()
            .map(|market| types::Market { name: &market.name, symbol: market.symbol.as_deref() })
            .collect();
        let settings: Vec<_> = self.settings.iter().map(|(name, value)| types::Setting { name, value }).collect();
        ask(types::OpenRequest {
            markets: &markets,
            endpoint: self.endpoint.as_deref(),
            rest_endpoint: self.rest_endpoint.as_deref(),
            settings: &settings,
        })
    }
}
