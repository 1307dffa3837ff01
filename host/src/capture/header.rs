//! What a segment is of: enough to decode it without the configuration that it was written by.

use serde::{Deserialize, Serialize};

use crate::plugin::{FeedPlugin, Market, OpenRequest, bounded_escaped};

/// Version of the layout of segments.
pub(super) const FORMAT: u32 = 1;

/// The header of a segment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SegmentHeader {
    /// Version of the layout, [`FORMAT`].
    pub format: u32,
    /// Exchange id, part of topic names.
    pub exchange: String,
    /// Name of the session.
    pub session: String,
    /// The connections one after the other that this is a part of; unique in a folder.
    pub stream: String,
    /// Number of the segment in its stream, from 1.
    pub sequence: u32,
    /// When it was begun, µs since 1970 UTC.
    pub started_at_us: i64,
    /// Name of the plugin that decoded it then.
    pub plugin: String,
    /// Its version.
    pub plugin_version: String,
    /// SHA-256 of its file.
    pub plugin_sha256: String,
    /// What it was opened with.
    pub request: RequestHeader,
}

/// What a plugin was opened with.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RequestHeader {
    /// Its markets, in the order of its market indices.
    pub markets: Vec<MarketHeader>,
    /// Base of the WebSocket url, where the feed names one.
    pub endpoint: Option<String>,
    /// Base of REST urls, where the feed names one.
    pub rest_endpoint: Option<String>,
    /// The feed's options.
    pub settings: Vec<(String, String)>,
    /// Whether urls without TLS were allowed.
    pub allow_plain: bool,
    /// Hosts besides the plugin's own.
    pub hosts: Vec<String>,
    /// Whether private addresses were allowed.
    pub allow_private: bool,
}

/// A market of a request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MarketHeader {
    /// Canonical name.
    pub name: String,
    /// The exchange's spelling, where the feed gives it.
    pub symbol: Option<String>,
}

impl SegmentHeader {
    /// Of a session's connections from now on; the recorder adds stream and sequence.
    #[must_use]
    pub fn new(exchange: &str, session: &str, plugin: &dyn FeedPlugin, request: &OpenRequest) -> Self {
        Self {
            format: FORMAT,
            exchange: exchange.to_owned(),
            session: session.to_owned(),
            stream: String::new(),
            sequence: 0,
            started_at_us: jiff::Timestamp::now().as_microsecond(),
            plugin: plugin.description().name.clone(),
            plugin_version: plugin.description().version.clone(),
            plugin_sha256: plugin.digest().to_owned(),
            request: RequestHeader::of(request),
        }
    }

    /// Whether its names are such as topics, records and terminals take.
    pub(super) fn is_sound(&self) -> bool {
        let named = |text: &str, more: &str| {
            let allowed =
                |letter: char| letter.is_ascii_lowercase() || letter.is_ascii_digit() || more.contains(letter);
            (1..=100).contains(&text.len()) && text.chars().all(allowed)
        };
        let shown = |text: &str| (1..=128).contains(&text.len()) && bounded_escaped(text, 128) == text;
        let markets = &self.request.markets;
        named(&self.exchange, "_")
            && named(&self.plugin, "_")
            && named(&self.session, "_-")
            && named(&self.stream, "-")
            && markets.iter().all(|market| shown(&market.name) && market.symbol.as_deref().is_none_or(shown))
    }
}

impl RequestHeader {
    /// Of a request.
    #[must_use]
    pub fn of(request: &OpenRequest) -> Self {
        let market = |market: &Market| MarketHeader { name: market.name.clone(), symbol: market.symbol.clone() };
        Self {
            markets: request.markets.iter().map(market).collect(),
            endpoint: request.endpoint.clone(),
            rest_endpoint: request.rest_endpoint.clone(),
            settings: request.settings.clone(),
            allow_plain: request.allow_plain,
            hosts: request.hosts.clone(),
            allow_private: request.allow_private,
        }
    }

    /// The request again.
    #[must_use]
    pub fn request(&self) -> OpenRequest {
        let market = |market: &MarketHeader| Market { name: market.name.clone(), symbol: market.symbol.clone() };
        OpenRequest {
            markets: self.markets.iter().map(market).collect(),
            endpoint: self.endpoint.clone(),
            rest_endpoint: self.rest_endpoint.clone(),
            settings: self.settings.clone(),
            allow_plain: self.allow_plain,
            hosts: self.hosts.clone(),
            allow_private: self.allow_private,
        }
    }
}
