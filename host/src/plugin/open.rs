//! What a plugin is asked when a connection is to be opened.

use std::fmt;

use super::bindings::tapedeck::plugin::types;
use crate::net::{AllowedHosts, HostRules};

/// A market that the user asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Market {
    /// Canonical name, `BASE/QUOTE`.
    pub name: String,
    /// The exchange's own spelling, where the user gives it.
    pub symbol: Option<String>,
}

/// What a plugin is asked to open: one connection's markets.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct OpenRequest {
    /// The markets; the plugin's market indices are indices of this list.
    pub markets: Vec<Market>,
    /// Base of the WebSocket url, `ws://…` or `wss://…`, in place of the exchange's own.
    pub endpoint: Option<String>,
    /// Base of REST urls, `http://…` or `https://…`, in place of the exchange's own.
    pub rest_endpoint: Option<String>,
    /// The feed's options, key and value. A value may be a secret: none is printed.
    pub settings: Vec<(String, String)>,
    /// Whether urls without TLS (`ws://`, `http://`) are accepted.
    pub allow_plain: bool,
    /// Hosts that may be reached besides those that the plugin declares.
    pub hosts: Vec<String>,
    /// Whether private, loopback and such addresses may be reached.
    pub allow_private: bool,
}

impl fmt::Debug for OpenRequest {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let settings: Vec<&str> = self.settings.iter().map(|(name, _)| name.as_str()).collect();
        formatter
            .debug_struct("OpenRequest")
            .field("markets", &self.markets)
            .field("endpoint", &self.endpoint)
            .field("rest_endpoint", &self.rest_endpoint)
            .field("settings", &settings)
            .finish_non_exhaustive()
    }
}

impl OpenRequest {
    /// The hosts that this feed may reach by WebSocket, where the plugin declares these.
    ///
    /// # Errors
    /// The endpoint is no url.
    pub fn websocket_hosts(&self, declared: &[String]) -> Result<AllowedHosts, String> {
        self.allowed_hosts(self.endpoint.as_deref(), declared)
    }

    /// The hosts that this feed may reach by REST, where the plugin declares these.
    ///
    /// # Errors
    /// The endpoint is no url.
    pub fn rest_hosts(&self, declared: &[String]) -> Result<AllowedHosts, String> {
        self.allowed_hosts(self.rest_endpoint.as_deref(), declared)
    }

    fn allowed_hosts(&self, endpoint: Option<&str>, declared: &[String]) -> Result<AllowedHosts, String> {
        let (allow_plain, allow_private) = (self.allow_plain, self.allow_private);
        AllowedHosts::new(&HostRules { endpoint, declared, added: &self.hosts, allow_plain, allow_private })
    }

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
