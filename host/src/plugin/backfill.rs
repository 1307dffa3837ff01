//! Asking for trades that were missed: what goes to a plugin's backfill functions and what comes back.

use wasmtime::Store;

use crate::net::AllowedHosts;
use crate::trade::{Source, Trade, TradeId};

use super::address;
use super::answer::{self, MAX_REASON};
use super::bindings::TapedeckPlugin;
use super::bindings::tapedeck::plugin::types;
use super::decoded::{RefusalKind, Refused};
use super::error::BackfillFailure;
use super::guest::GuestState;
use super::instance::Instance;
use super::text::bounded_escaped;

/// A span of one market's trades that is missing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gap {
    /// Index of the market.
    pub market: u32,
    /// Its first µs since 1970 UTC.
    pub start_us: i64,
    /// Its last µs since 1970 UTC.
    pub end_us: i64,
    /// Id of the last trade before it, if known.
    pub after: Option<TradeId>,
    /// Id of the first trade behind it, if known.
    pub before: Option<TradeId>,
}

/// A header of a request or response.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Header {
    /// Name, any case.
    pub name: String,
    /// Value.
    pub value: String,
}

/// A GET request that a plugin asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HttpRequest {
    /// Absolute url, on a host that the plugin or the user named.
    pub url: String,
    /// Headers, besides those of any request.
    pub headers: Vec<Header>,
    /// What it costs of the exchange's REST budget.
    pub weight: u32,
}

/// The answer to a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HttpResponse {
    /// Status code.
    pub status: u16,
    /// Headers.
    pub headers: Vec<Header>,
    /// Body, decompressed.
    pub body: Vec<u8>,
}

/// One page of a backfill.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Page {
    /// Its trades, all of the gap's market.
    pub trades: Vec<Trade>,
    /// Rows that could not be used.
    pub refused: Vec<Refused>,
    /// The next request, if the gap reaches beyond this page.
    pub next: Option<HttpRequest>,
}

/// The most headers of a request.
const MAX_HEADERS: usize = 32;
/// The most bytes of a header's value.
const MAX_HEADER: usize = 4096;
/// Headers that are the host's own: they decide where a request goes and how its answer is read.
const HOST_HEADERS: [&str; 6] =
    ["host", "connection", "content-length", "transfer-encoding", "accept-encoding", "upgrade"];

impl Instance {
    /// The request for a gap's first page.
    ///
    /// # Errors
    /// The plugin refuses or crashes, or its request leads where it may not go.
    pub fn backfill(&mut self, gap: &Gap) -> Result<HttpRequest, BackfillFailure> {
        let answer =
            self.ask(|world, store| gap.lend(|gap| world.tapedeck_plugin_plugin().call_backfill(store, gap)))?;
        let wanted = self.accepted(answer)?;
        let checked = self.rest_hosts().and_then(|allowed| HttpRequest::checked(wanted, &allowed));
        checked.map_err(|reason| BackfillFailure::Answer { plugin: self.name(), reason })
    }

    /// Decodes a page: the response to a request for this gap.
    ///
    /// # Errors
    /// The plugin refuses the whole page or crashes, or its answer makes no sense. Single rows that can't be used are in
    /// [`Page::refused`].
    pub fn decode_backfill(
        &mut self,
        gap: &Gap,
        request: &HttpRequest,
        response: &HttpResponse,
    ) -> Result<Page, BackfillFailure> {
        let request_headers = lend_headers(&request.headers);
        let response_headers = lend_headers(&response.headers);
        let asked = types::HttpRequestParam { url: &request.url, headers: &request_headers, weight: request.weight };
        let got = types::HttpResponse { status: response.status, headers: &response_headers, body: &response.body };
        let answer = self.ask(|world, store| {
            gap.lend(|gap| world.tapedeck_plugin_plugin().call_decode_backfill(store, gap, asked, got))
        })?;
        let page = self.accepted(answer)?;
        let checked = self
            .rest_hosts()
            .and_then(|allowed| Page::checked(page, gap.market, self.markets(), response.body.len(), &allowed));
        checked.map_err(|reason| BackfillFailure::Answer { plugin: self.name(), reason })
    }

    /// One call; a fault costs the sandbox.
    fn ask<T>(
        &mut self,
        call: impl FnOnce(&TapedeckPlugin, &mut Store<GuestState>) -> wasmtime::Result<T>,
    ) -> Result<T, BackfillFailure> {
        let plugin = self.name();
        let Some(guest) = self.guest_mut() else {
            return Err(BackfillFailure::Broken {
                plugin,
                reason: "it failed before; open the session anew".to_owned(),
            });
        };
        let fault = match guest.call(call) {
            Ok(answer) => return Ok(answer),
            Err(fault) => fault,
        };
        match self.try_renew() {
            Ok(()) => Err(BackfillFailure::Fault { plugin, fault }),
            Err(reason) => Err(BackfillFailure::Broken { plugin, reason: format!("{fault}; {reason}") }),
        }
    }

    fn accepted<T>(&self, answer: Result<T, String>) -> Result<T, BackfillFailure> {
        answer.map_err(|reason| BackfillFailure::Refused {
            plugin: self.name(),
            reason: bounded_escaped(&reason, MAX_REASON),
        })
    }

    fn name(&self) -> String {
        self.plugin.label().to_owned()
    }

    fn rest_hosts(&self) -> Result<AllowedHosts, String> {
        self.request.rest_hosts(&self.plugin.description().hosts)
    }
}

impl HttpRequest {
    /// Checks a request. The error is half a sentence.
    fn checked(wanted: types::HttpRequestResult, allowed: &AllowedHosts) -> Result<Self, String> {
        address::check(&wanted.url, ["http", "https"], allowed)?;
        if wanted.headers.len() > MAX_HEADERS {
            return Err(format!("its request has {} headers, more than {MAX_HEADERS}", wanted.headers.len()));
        }
        for header in &wanted.headers {
            let name = http::HeaderName::from_bytes(header.name.as_bytes());
            let is_own = name.as_ref().is_ok_and(|name| HOST_HEADERS.contains(&name.as_str()));
            let fits = header.value.len() <= MAX_HEADER && http::HeaderValue::from_str(&header.value).is_ok();
            if name.is_err() || is_own || !fits {
                let name = bounded_escaped(&header.name, 80);
                return Err(format!("its request has a header `{name}` that can't be sent"));
            }
        }
        let header = |header: types::HeaderResult| Header { name: header.name, value: header.value };
        let headers = wanted.headers.into_iter().map(header).collect();
        Ok(Self { url: wanted.url, headers, weight: wanted.weight })
    }
}

impl Page {
    /// Checks a page for a gap of this market, one of so many, that was made of so many bytes. The error is half a sentence.
    pub(super) fn checked(
        page: types::Page,
        market: u32,
        markets: u32,
        body_bytes: usize,
        allowed: &AllowedHosts,
    ) -> Result<Self, String> {
        let rows = page.trades.len();
        if rows > body_bytes {
            return Err(format!("it made {rows} trades of {body_bytes} bytes"));
        }
        let mut checked = Self::default();
        let mut refuse = |frame, reason| checked.refused.push(Refused { frame, kind: RefusalKind::Refused, reason });
        for refusal in page.refusals {
            refuse(refusal.frame, answer::reason(&refusal.reason));
        }
        for (row, trade) in (0..).zip(page.trades) {
            let trade = Trade { frame: 0, source: Source::Backfill, ..Trade::from(trade) };
            match answer::check_trade(&trade, markets) {
                Ok(()) if trade.market != market => {
                    let given = trade.market;
                    refuse(row, format!("the plugin gave a trade of market {given} for a gap of market {market}"));
                }
                Ok(()) => checked.trades.push(trade),
                Err(reason) => refuse(row, reason),
            }
        }
        checked.next = page.next.map(|next| HttpRequest::checked(next, allowed)).transpose()?;
        Ok(checked)
    }
}

impl Gap {
    /// Lends the gap in the form that crosses into the sandbox.
    fn lend<T>(&self, ask: impl FnOnce(types::Gap<'_>) -> T) -> T {
        ask(types::Gap {
            market: self.market,
            start: self.start_us,
            end: self.end_us,
            after: self.after.as_ref().map(lend_id),
            before: self.before.as_ref().map(lend_id),
        })
    }
}

fn lend_id(id: &TradeId) -> types::TradeIdParam<'_> {
    match id {
        TradeId::Number(number) => types::TradeIdParam::Number(*number),
        TradeId::Text(text) => types::TradeIdParam::Text(text),
    }
}

fn lend_headers(headers: &[Header]) -> Vec<types::HeaderParam<'_>> {
    headers.iter().map(|header| types::HeaderParam { name: &header.name, value: &header.value }).collect()
}
