//! Trades that were missed, by REST: which request asks for them, and when the last page of a gap is there.
//!
//! Ids have no holes, so a page is asked for by its first id, and pages go on until the id behind the gap. Where the id
//! before the gap is not known, a first request finds it: of aggregated trades the exchange can be asked by time, and each
//! names the first trade that it holds. For `stream = "trade"` that request is told from all others by its `limit=1`.

mod refusal;
mod rows;

use tapedeck_sdk::{Gap, Header, HttpRequest, HttpResponse, Page, Reason, Refusal, Source, Trade, TradeId};

use self::rows::Row;
use crate::Binance;
use crate::options::{Stream, TimeUnit};

/// Rows on one page, the most that the exchange gives.
const PAGE: u64 = 1_000;

/// What requests cost of the exchange's weight a minute.
const WEIGHT_OF_TRADES: u32 = 25;
const WEIGHT_OF_AGGREGATES: u32 = 4;

/// Microseconds of 2017-07-01, some days before the exchange's first trade.
const BEFORE_FIRST_TRADE: i64 = 1_498_867_200_000_000;

impl Binance {
    /// The request for a gap's first page.
    pub(crate) fn first_page(&self, gap: &Gap) -> Result<HttpRequest, Reason> {
        let (after, before) = (id_beside(gap.after.as_ref())?, id_beside(gap.before.as_ref())?);
        let from = match after {
            Some(after) => after.checked_add(1).ok_or("there is no id after the last one of 64 bits")?,
            None if gap.start < BEFORE_FIRST_TRADE => 0,
            None => return self.page_from_time(gap),
        };
        if before.is_some_and(|before| before <= from) {
            return Err(format!("there is no trade between the ids around the gap: it starts at {from}").into());
        }
        self.page_from_id(gap, from)
    }

    /// Decodes a page and says which is next.
    pub(crate) fn decode_page(
        &self,
        gap: &Gap,
        request: &HttpRequest,
        response: &HttpResponse,
    ) -> Result<Page, Reason> {
        if response.status != 200 {
            return Err(refusal::of_response(response));
        }
        let mut rows = rows::read(&response.body, self.options.unit, gap.market)?;
        if self.only_finds_first_id(gap, request) {
            let first = rows.iter().find_map(|row| row.as_ref().ok()?.first_trade);
            let next = first.map(|first| self.page_from_id(gap, first)).transpose()?;
            return Ok(Page { trades: Vec::new(), refusals: refusals(&mut rows), next });
        }
        let next = self.page_behind(gap, request, &rows)?;
        let refusals = refusals(&mut rows);
        let bounds = Bounds::of(gap, self.options.unit)?;
        let mut trades: Vec<Trade> =
            rows.into_iter().flatten().filter(|row| bounds.hold(row)).map(|row| row.trade).collect();
        for trade in &mut trades {
            trade.source = Source::Backfill;
        }
        // The exchange sends them so; the contract promises it.
        trades.sort_by_key(|trade| trade.order);
        Ok(Page { trades, refusals, next })
    }

    /// The page behind this one, unless the gap ends here.
    fn page_behind(
        &self,
        gap: &Gap,
        request: &HttpRequest,
        rows: &[Result<Row, Reason>],
    ) -> Result<Option<HttpRequest>, Reason> {
        let of_stream = rows.iter().flatten().filter(|row| row.stream == self.options.stream);
        let Some(last) = of_stream.max_by_key(|row| row.trade.order) else { return Ok(None) };
        let asked_from: Option<u64> = parameter(&request.url, "fromId").and_then(|id| id.parse().ok());
        if asked_from.is_some_and(|from| last.trade.order < from) {
            return Err(format!("the exchange answered with trades up to id {} only", last.trade.order).into());
        }
        let Some(next) = last.trade.order.checked_add(1) else { return Ok(None) };
        let is_complete = match id_beside(gap.before.as_ref())? {
            Some(before) => next >= before,
            None => last.trade.timestamp > gap.end,
        };
        if is_complete { Ok(None) } else { self.page_from_id(gap, next).map(Some) }
    }

    /// Whether a request was made for the id of the first trade alone.
    fn only_finds_first_id(&self, gap: &Gap, request: &HttpRequest) -> bool {
        self.options.stream == Stream::Trade
            && gap.after.is_none()
            && request.url.contains("/aggTrades?")
            && parameter(&request.url, "startTime").is_some()
            && parameter(&request.url, "limit") == Some("1")
    }

    fn page_from_id(&self, gap: &Gap, from: u64) -> Result<HttpRequest, Reason> {
        let missing = id_beside(gap.before.as_ref())?.map(|before| before.saturating_sub(from));
        let limit = missing.unwrap_or(PAGE).clamp(1, PAGE);
        self.request(gap, self.options.stream, &format!("fromId={from}&limit={limit}"))
    }

    fn page_from_time(&self, gap: &Gap) -> Result<HttpRequest, Reason> {
        let limit = match self.options.stream {
            Stream::Trade => 1,
            Stream::AggTrade => PAGE,
        };
        // A request's times may be in milliseconds whatever the unit of the answer's.
        let start = gap.start.div_euclid(1_000);
        self.request(gap, Stream::AggTrade, &format!("startTime={start}&limit={limit}"))
    }

    fn request(&self, gap: &Gap, stream: Stream, query: &str) -> Result<HttpRequest, Reason> {
        let symbol = self.markets.symbol(gap.market).ok_or("the gap is of a market that this session has not got")?;
        let (symbol, rest) = (percent_encoded(symbol), &self.rest);
        let (path, weight) = match stream {
            Stream::Trade => ("historicalTrades", WEIGHT_OF_TRADES),
            Stream::AggTrade => ("aggTrades", WEIGHT_OF_AGGREGATES),
        };
        // The same unit as on the socket, so that a trade has the same time by both ways.
        let headers = match self.options.unit {
            TimeUnit::Millisecond => Vec::new(),
            TimeUnit::Microsecond => {
                vec![Header { name: "X-MBX-TIME-UNIT".to_owned(), value: "MICROSECOND".to_owned() }]
            }
        };
        Ok(HttpRequest { url: format!("{rest}/api/v3/{path}?symbol={symbol}&{query}"), headers, weight })
    }
}

/// Which rows of a page lie in the gap: by id where the ids around it are known, else by time.
struct Bounds {
    after: Option<u64>,
    before: Option<u64>,
    start: i64,
    end: i64,
}

impl Bounds {
    fn of(gap: &Gap, unit: TimeUnit) -> Result<Bounds, Reason> {
        let (after, before) = (id_beside(gap.after.as_ref())?, id_beside(gap.before.as_ref())?);
        Ok(Bounds { after, before, start: unit.cut(gap.start), end: gap.end })
    }

    fn hold(&self, row: &Row) -> bool {
        let (id, time) = (row.trade.order, row.trade.timestamp);
        self.after.map_or(time >= self.start, |after| id > after)
            && self.before.map_or(time <= self.end, |before| id < before)
    }
}

/// The reasons of the rows that could not be used, which are taken out of `rows`.
fn refusals(rows: &mut Vec<Result<Row, Reason>>) -> Vec<Refusal> {
    let all = std::mem::take(rows);
    let mut refusals = Vec::new();
    for (index, row) in (0..).zip(all) {
        match row {
            Ok(row) => rows.push(Ok(row)),
            Err(reason) => refusals.push(Refusal { frame: index, reason: reason.into_owned() }),
        }
    }
    refusals
}

fn id_beside(id: Option<&TradeId>) -> Result<Option<u64>, Reason> {
    match id {
        None => Ok(None),
        Some(TradeId::Number(number)) => Ok(Some(*number)),
        Some(TradeId::Text(_)) => {
            Err("the gap is bounded by an id that is no number, which this exchange has not".into())
        }
    }
}

/// The value of a parameter in the query of a url.
fn parameter<'a>(url: &'a str, name: &str) -> Option<&'a str> {
    let (_, query) = url.split_once('?')?;
    query.split('&').filter_map(|pair| pair.split_once('=')).find(|(key, _)| *key == name).map(|(_, value)| value)
}

/// Symbols need not be ASCII.
fn percent_encoded(symbol: &str) -> String {
    symbol
        .bytes()
        .map(|byte| match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => char::from(byte).to_string(),
            _ => format!("%{byte:02X}"),
        })
        .collect()
}
