//! `[[feed]]`: what to subscribe to.

use std::collections::BTreeMap;

use toml::de::DeValue;

use super::Place;
use super::address::{UrlRule, base_url, host};
use super::market::check_market_name;
use super::secret::Secret;
use super::section::{Found, Section, describe};
use crate::plugin::bounded_escaped;

mod overlap;
pub(crate) use overlap::overlaps;
pub(super) use overlap::report_overlaps;

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
    /// Hosts that may be reached besides those that the plugin declares; lower case.
    pub hosts: Vec<String>,
    /// Whether names may lead to private, loopback and such addresses. Default false.
    pub allow_private: bool,
    /// Connections that every market is on at once, 1 or 2. Default 1.
    pub redundancy: u32,
    /// Options of the plugin.
    pub options: BTreeMap<String, Secret>,
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

impl FeedConfig {
    /// A feed; `number` is its position, from 1.
    pub(super) fn read(mut section: Section<'_, '_>, number: usize) -> Self {
        let plugin = read_name(&mut section, "plugin");
        if section.any("plugin").is_none() {
            let message = "is missing; write the name of a plugin, for example plugin = \"moonex\"";
            section.report(&section.place, "plugin", message);
        }
        let exchange = read_name(&mut section, "exchange");
        let (markets, market_places) = read_markets(&mut section);
        let allow_plain = section.flag("allow_plain");
        let ws = UrlRule { safe: "wss", plain: "ws", allow_plain, example: "wss://stream.example.org:443" };
        let http = UrlRule { safe: "https", plain: "http", allow_plain, example: "https://api.example.org" };
        let mut base = |key, rule: &UrlRule| {
            let found = section.text(key, &format!("\"{}\"", rule.example))?;
            base_url(found.value, rule).map_err(|message| section.report(&found.place, key, &message)).ok()
        };
        let (endpoint, rest_endpoint) = (base("endpoint", &ws), base("rest_endpoint", &http));
        let (hosts, allow_private) = (read_hosts(&mut section), section.flag("allow_private"));
        let redundancy = section.number("redundancy", 1, 1..=2);
        let (options, option_places) = read_options(section.section("options")).into_iter().unzip();
        let exchange_key = if exchange.is_some() { "exchange" } else { "plugin" };
        let places = FeedPlaces {
            number,
            plugin: section.place_of("plugin"),
            exchange: section.place_of(exchange_key),
            markets: market_places,
            options: option_places,
        };
        section.finish();
        let plugin = plugin.unwrap_or_default();
        Self {
            plugin,
            exchange,
            markets,
            endpoint,
            rest_endpoint,
            allow_plain,
            hosts,
            allow_private,
            redundancy,
            options,
            places,
        }
    }
}

/// Names are part of topics, tables and labels.
fn read_name(section: &mut Section<'_, '_>, key: &'static str) -> Option<String> {
    let found = section.text(key, "\"moonex\"")?;
    let name = found.value;
    let good = name.len() <= 64
        && name.chars().all(|letter| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == '_');
    if good {
        return Some(name.to_owned());
    }
    let better: String = name.trim().to_lowercase().replace(['-', '.', ' '], "_");
    let message = format!("\"{}\" is not a name; write lower case letters, digits and _", name.escape_debug());
    let is_good = better.chars().all(|letter| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == '_');
    let suggestion = if is_good && better.len() <= 64 { format!(", for example \"{better}\"") } else { String::new() };
    section.report(&found.place, key, &format!("{message}{suggestion}"));
    None
}

fn read_markets(section: &mut Section<'_, '_>) -> (Vec<MarketConfig>, Vec<Place>) {
    const EXAMPLE: &str = "[\"BTC/USDT\"]";
    let Some(found) = section.any("markets") else {
        let message = format!("is missing; write a list, for example markets = {EXAMPLE}");
        section.report(&section.place, "markets", &message);
        return Default::default();
    };
    let DeValue::Array(array) = found.value else {
        section.mistyped(&found.place, "markets", "a list of markets", EXAMPLE, found.value);
        return Default::default();
    };
    if array.is_empty() {
        section.report(
            &found.place,
            "markets",
            &format!("is empty; write at least one, for example markets = {EXAMPLE}"),
        );
    }
    let read = |element: &'_ toml::Spanned<DeValue<'_>>| {
        let place = section.document().place(element.span().start);
        let market = read_market(section, &Found { value: element.get_ref(), place: place.clone() })?;
        Some((market, place))
    };
    array.iter().filter_map(read).unzip()
}

/// A market: its name, or a table with the name and the exchange's spelling.
fn read_market(section: &Section<'_, '_>, found: &Found<&DeValue<'_>>) -> Option<MarketConfig> {
    let complain = |message: &str| section.report(&found.place, "markets", message);
    let (name, symbol) = match found.value {
        DeValue::String(name) => (name.as_ref(), None),
        DeValue::Table(table) => {
            let unknown = table.keys().find(|key| !["market", "symbol"].contains(&key.get_ref().as_ref()));
            if let Some(key) = unknown {
                let message =
                    format!("`{}` is no key of a market; there are market and symbol", key.get_ref().escape_debug());
                section.report(&section.document().place(key.span().start), "markets", &message);
                return None;
            }
            let text = |key: &str| table.get(key).map(|value| value.get_ref().as_str().filter(|text| !text.is_empty()));
            match (text("market"), text("symbol")) {
                (Some(Some(name)), None) => (name, None),
                // As long as a plugin may spell it, and longer; nothing in it that a terminal obeys.
                (Some(Some(name)), Some(Some(symbol))) if bounded_escaped(symbol, 128) == symbol => {
                    (name, Some(symbol.to_owned()))
                }
                _ => {
                    complain(
                        "expected { market = \"BTC/USDT\", symbol = \"XBTUSDT\" }, both texts of at most 128 bytes without control characters",
                    );
                    return None;
                }
            }
        }
        other => {
            complain(&format!(
                "expected a market such as \"BTC/USDT\" or {{ market = \"BTC/USDT\", symbol = \"XBTUSDT\" }}, but this is {}",
                describe(other)
            ));
            return None;
        }
    };
    check_market_name(name).map_err(|message| complain(&message)).ok()?;
    Some(MarketConfig { name: name.to_owned(), symbol })
}

/// Hosts: names or addresses, without scheme, port or path.
fn read_hosts(section: &mut Section<'_, '_>) -> Vec<String> {
    const EXAMPLE: &str = "[\"api.example.org\"]";
    const MOST: usize = 64;
    let Some(found) = section.any("hosts") else { return Vec::new() };
    let DeValue::Array(array) = found.value else {
        section.mistyped(&found.place, "hosts", "a list of hosts", EXAMPLE, found.value);
        return Vec::new();
    };
    if array.len() > MOST {
        section.report(&found.place, "hosts", &format!("has {} hosts, and {MOST} are possible", array.len()));
    }
    let read = |element: &'_ toml::Spanned<DeValue<'_>>| {
        let place = section.document().place(element.span().start);
        let DeValue::String(text) = element.get_ref() else {
            section.mistyped(&place, "hosts", "a host in quotes", EXAMPLE, element.get_ref());
            return None;
        };
        host(text).map_err(|message| section.report(&place, "hosts", &message)).ok()
    };
    array.iter().filter_map(read).collect()
}

/// Which options there are, only the plugin knows; here they are texts, or say where a text is that nobody is to see.
fn read_options(mut section: Section<'_, '_>) -> Vec<((String, Secret), (String, Place))> {
    let mut options = Vec::new();
    for (key, value) in section.free_keys() {
        let secret = match value.value {
            DeValue::String(text) => Secret::new(text.as_ref()),
            DeValue::Integer(number) => Secret::new(number.to_string()),
            DeValue::Boolean(flag) => Secret::new(flag.to_string()),
            DeValue::Table(table) => match Secret::from_elsewhere(table) {
                Ok(secret) => secret,
                Err(message) => {
                    section.report(&value.place, key.value, &message);
                    continue;
                }
            },
            other => {
                section.mistyped(&value.place, key.value, "a text in quotes", "\"trade\"", other);
                continue;
            }
        };
        options.push(((key.value.to_owned(), secret), (key.value.to_owned(), key.place)));
    }
    options
}
