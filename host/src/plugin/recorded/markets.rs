//! Opening a plugin for the markets of a recording, about which the recording only says how the exchange spells them.

use std::io::Write;
use std::sync::Arc;

use anyhow::Context as _;

use crate::plugin::backfill::{Gap, HttpRequest};
use crate::plugin::error::OpenFailure;
use crate::plugin::instance::Instance;
use crate::plugin::loaded::Plugin;
use crate::plugin::open::{Market, OpenRequest};

use super::message::Message;

/// Markets that most exchanges have, tried in turn where a recording names none.
const COMMON: [&str; 6] = ["BTC/USDT", "BTC/USD", "ETH/USDT", "ETH/USD", "BTC/EUR", "ETH/BTC"];
/// 2200-01-01, µs: late enough for any recording, and still a 64-bit number of nanoseconds.
const LATEST_US: i64 = 7_258_118_400_000_000;

/// An instance that is open for a recording's markets.
pub(super) struct Opened {
    pub(super) instance: Instance,
    /// The exchange's spelling of each market, by index.
    pub(super) symbols: Vec<String>,
    request: OpenRequest,
}

impl Opened {
    /// Opens for the distinct symbols of the expected trades. A market that the plugin refuses is left out, and said so.
    pub(super) fn new(
        plugin: &Arc<Plugin>,
        messages: &[Message],
        settings: &[(String, String)],
        out: &mut dyn Write,
    ) -> anyhow::Result<Self> {
        let mut markets = named_markets(messages);
        let mut first_refusal = None;
        while !markets.is_empty() {
            match Self::open(plugin, &markets, settings) {
                Ok(opened) => return Ok(opened),
                Err(OpenFailure::Refused { market: Some(name), reason, .. }) => {
                    let Some(at) = markets.iter().position(|market| market.name == name) else { break };
                    let symbol = markets.remove(at).symbol.unwrap_or_default();
                    writeln!(out, "the plugin refuses market {symbol}: {reason}")?;
                    first_refusal.get_or_insert(reason);
                }
                Err(failure) => return Err(failure).context("the plugin does not open for the recording's markets"),
            }
        }
        let mut last = None;
        for name in COMMON {
            let markets = [Market { name: name.to_owned(), symbol: None }];
            match Self::open(plugin, &markets, settings) {
                Ok(opened) => {
                    writeln!(out, "the recording names no market that the plugin takes: opened for {name}")?;
                    return Ok(opened);
                }
                Err(failure) => last = Some(failure),
            }
        }
        Err(last.context("no market to open")?)
            .context("the plugin opens neither for the recording's markets nor for common ones")
    }

    fn open(plugin: &Arc<Plugin>, markets: &[Market], settings: &[(String, String)]) -> Result<Self, OpenFailure> {
        let request = OpenRequest { markets: markets.to_vec(), settings: settings.to_vec(), ..OpenRequest::default() };
        let (instance, plan) = plugin.open(request.clone())?;
        Ok(Self { instance, symbols: plan.symbols, request })
    }

    /// A fresh instance in place of one that is of no more use.
    pub(super) fn reopen(&mut self) -> anyhow::Result<()> {
        let plugin = Arc::clone(self.instance.plugin());
        self.instance = plugin.open(self.request.clone()).context("the plugin does not open again")?.0;
        Ok(())
    }

    /// A gap that any recorded page lies in, of the market that the page is about.
    pub(super) fn gap(&self, message: &Message) -> Gap {
        Gap { market: self.market_of(message), start_us: 0, end_us: LATEST_US, after: None, before: None }
    }

    /// The market that a page is about: as its trades name it, or its surroundings; else the first.
    fn market_of(&self, message: &Message) -> u32 {
        let named = message.trades().iter().find_map(|trade| trade.symbol.as_deref()).or(message.context_symbol());
        let by_name = named.and_then(|symbol| self.symbols.iter().position(|own| own == symbol));
        // The longest symbol that stands in the request: of BTCUSD and BTCUSDT the right one.
        let in_request = |request: &str| {
            let found = self.symbols.iter().enumerate().filter(|(_, symbol)| request.contains(symbol.as_str()));
            found.max_by_key(|(_, symbol)| symbol.len()).map(|(index, _)| index)
        };
        let index = by_name.or_else(|| message.request().and_then(in_request)).unwrap_or(0);
        u32::try_from(index).unwrap_or(0)
    }

    /// The request that a page answers, as far as the recording has it.
    pub(super) fn page_request(&self, message: &Message) -> HttpRequest {
        let host = self.instance.plugin().description().hosts.first().map_or("localhost", String::as_str);
        let path = message.request().unwrap_or_default();
        let path = path.split_once(' ').map_or(path, |(_method, path)| path);
        let url = format!("https://{host}/{}", path.trim_start_matches('/').replace(' ', "/"));
        HttpRequest { url, headers: Vec::new(), weight: 1 }
    }
}

/// The distinct symbols of the expected trades as markets, in the order in which they come.
fn named_markets(messages: &[Message]) -> Vec<Market> {
    let mut markets: Vec<Market> = Vec::new();
    let symbols = messages.iter().filter(|message| !message.is_outgoing()).flat_map(|message| {
        message.trades().iter().filter_map(|trade| trade.symbol.as_deref()).chain(message.context_symbol())
    });
    for symbol in symbols {
        if markets.iter().all(|market| market.symbol.as_deref() != Some(symbol)) {
            let name = canonical_name(symbol, markets.len());
            markets.push(Market { name, symbol: Some(symbol.to_owned()) });
        }
    }
    markets
}

/// Base and quote can't be told from most spellings, and plugins want a name of that form: where the spelling has it not,
/// one is made up, which nothing is compared with.
fn canonical_name(symbol: &str, index: usize) -> String {
    let is_part =
        |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit());
    match symbol.split_once('/') {
        Some((base, quote)) if is_part(base) && is_part(quote) => symbol.to_owned(),
        _ => format!("RECORDED{index}/MARKET"),
    }
}
