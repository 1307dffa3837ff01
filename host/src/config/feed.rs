//! `[[feed]]`: what to subscribe to.

use std::collections::BTreeMap;

use super::Place;

/// `[[feed]]`: markets of one exchange, by one plugin.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FeedConfig {
    /// Name of the plugin, as its `describe` says it.
    pub plugin: String,
    /// Name used for topics, tables and trades, in place of the plugin's own exchange id.
    pub exchange: Option<String>,
    /// Markets, at least one.
    pub markets: Vec<MarketConfig>,
    /// Base of the WebSocket url, without a path and without a `/` at its end, in place of the exchange's own.
    pub endpoint: Option<String>,
    /// Base of REST urls, without a path and without a `/` at its end, in place of the exchange's own.
    pub rest_endpoint: Option<String>,
    /// Whether `ws://` and `http://` are allowed. Default false.
    pub allow_plain: bool,
    /// Options of the plugin.
    pub options: BTreeMap<String, String>,
    /// Where all this is written.
    pub places: FeedPlaces,
}

/// A market to subscribe to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MarketConfig {
    /// Canonical name, `BASE/QUOTE` in upper case.
    pub name: String,
    /// The exchange's own spelling, where the user gives it.
    pub symbol: Option<String>,
}

/// Where the parts of a feed are written, for messages about what only the plugin can judge.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FeedPlaces {
    /// Position among the feeds, from 1.
    pub number: usize,
    /// The value of `plugin`.
    pub plugin: Place,
    /// The value of `exchange`, or of `plugin` if it is not there.
    pub exchange: Place,
    /// Each market.
    pub markets: Vec<Place>,
    /// The key of each option.
    pub options: BTreeMap<String, Place>,
}
