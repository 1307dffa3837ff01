//! Past trades: `GET /0/public/Trades`, which is asked by time and answers oldest first.

use tapedeck_sdk::json::{Scanner, Value};
use tapedeck_sdk::log::{Level, log};
use tapedeck_sdk::{
    Gap, HttpRequest, HttpResponse, Page, Reason, Refusal, Side, Source, Trade, TradeId, excerpt, time,
};

use crate::Kraken;
use crate::trades::vendor;

/// Rows in an answer: the most that Kraken gives.
const COUNT: &str = "1000";

pub(crate) fn request(kraken: &Kraken, gap: &Gap) -> Result<HttpRequest, Reason> {
    // `since` is exclusive, and the first missing trade may be at the very start.
    let since = gap.start.max(0).saturating_mul(1_000).saturating_sub(1).max(0);
    request_since(kraken, gap.market, since)
}

fn request_since(kraken: &Kraken, market: u32, since: i64) -> Result<HttpRequest, Reason> {
    let Some(pair) = kraken.pairs.get(market as usize) else {
        return Err(format!("market {market} is none of this session").into());
    };
    let query = [("pair", pair.as_str()), ("since", &since.to_string()), ("count", COUNT)];
    Ok(HttpRequest::get(&kraken.rest_url, &query, 1))
}

pub(crate) fn decode(
    kraken: &Kraken,
    gap: &Gap,
    request: &HttpRequest,
    response: &HttpResponse,
) -> Result<Page, Reason> {
    if response.status == 429 {
        return Err("Kraken's rate limit is exceeded (status 429): ask again later, and less often".into());
    }
    let body = match read(gap, &response.body) {
        Err(reason) if response.status != 200 => {
            let (status, body) = (response.status, excerpt(&response.body));
            return Err(format!("Kraken answered with status {status}: {body} ({reason})").into());
        }
        body => body?,
    };
    if let Some(reason) = refused(&body.errors) {
        return Err(reason);
    }
    if response.status != 200 {
        return Err(format!("Kraken answered with status {}: {}", response.status, excerpt(&response.body)).into());
    }
    if body.lists == 0 {
        return Err("the answer has no list of trades: `result` names no pair".into());
    }
    let next = next(kraken, gap, request, &body)?;
    let mut trades = body.trades;
    trades.sort_by_key(|trade| (trade.timestamp, trade.order));
    Ok(Page { trades, refusals: body.refusals, next })
}

/// The next request, unless the gap is covered or there is nothing more.
fn next(kraken: &Kraken, gap: &Gap, request: &HttpRequest, body: &Body) -> Result<Option<HttpRequest>, Reason> {
    if body.beyond || body.rows == 0 {
        return Ok(None);
    }
    // Where Kraken does not say where the next page starts, it is the last trade's time.
    let newest = body.trades.iter().map(|trade| trade.timestamp).max().unwrap_or(0).saturating_mul(1_000);
    let last = body.last.unwrap_or(newest);
    let since = since_of(&request.url).unwrap_or(0);
    // Several trades may share the nanosecond of `last` with the next page's first: that one instant is asked for again.
    let next = last.saturating_sub(1);
    if next <= since || last.div_euclid(1_000) > gap.end {
        return Ok(None);
    }
    request_since(kraken, gap.market, next).map(Some)
}

fn since_of(url: &str) -> Option<i64> {
    let (_, query) = url.split_once('?')?;
    query.split('&').find_map(|field| field.strip_prefix("since="))?.parse().ok()
}

/// What an answer holds.
#[derive(Default)]
struct Body {
    errors: Vec<String>,
    /// How many lists of trades there are; each is a pair's.
    lists: usize,
    rows: usize,
    trades: Vec<Trade>,
    refusals: Vec<Refusal>,
    /// Whether a trade behind the gap was seen.
    beyond: bool,
    /// Nanoseconds since 1970: where the next page starts.
    last: Option<i64>,
}

fn read(gap: &Gap, text: &[u8]) -> Result<Body, Reason> {
    let mut body = Body::default();
    let mut scanner = Scanner::new(text);
    let mut object = scanner.root().object()?;
    while let Some((key, value)) = object.next()? {
        match &*key {
            "error" => {
                let mut errors = value.array()?;
                while let Some(error) = errors.next()? {
                    body.errors.push(error.str()?.into_owned());
                }
            }
            "result" => read_result(gap, value, &mut body)?,
            _ => {}
        }
    }
    scanner.finish()?;
    Ok(body)
}

/// One pair's name with its trades, and `last`. The name may be another spelling of the pair that was asked for (XXBTZUSD
/// for XBTUSD), and there is no rule that leads from one to the other; that there is one pair only is what can be checked.
fn read_result(gap: &Gap, value: Value<'_, '_>, body: &mut Body) -> Result<(), Reason> {
    let mut result = value.object()?;
    while let Some((key, mut value)) = result.next()? {
        if key == "last" {
            body.last = Some(last(&value.text()?)?);
        } else if value.kind()? == tapedeck_sdk::json::Kind::Array {
            body.lists += 1;
            if body.lists > 1 {
                let pair = excerpt(key.as_bytes());
                return Err(format!("the answer has more than one pair, {pair} the second; one was asked for").into());
            }
            let mut rows = value.array()?;
            while let Some(row) = rows.next()? {
                read_row(gap, row, body)?;
            }
        }
    }
    Ok(())
}

fn last(text: &str) -> Result<i64, Reason> {
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    let last = text.parse().ok().filter(|_| digits);
    last.ok_or_else(|| format!("`last` is {}, and no time in nanoseconds", excerpt(text.as_bytes())).into())
}

fn read_row(gap: &Gap, row: Value<'_, '_>, body: &mut Body) -> Result<(), Reason> {
    let index = body.rows;
    body.rows += 1;
    match trade(gap.market, row) {
        Ok(trade) => match place(gap, &trade) {
            Place::Inside => body.trades.push(trade),
            Place::Before => {}
            Place::Behind => body.beyond = true,
        },
        Err(RowFault::Damaged(reason)) => return Err(reason),
        Err(RowFault::Row(reason)) => {
            let frame = u32::try_from(index).unwrap_or(u32::MAX);
            body.refusals.push(Refusal { frame, reason: reason.into_owned() });
        }
    }
    Ok(())
}

/// Where a trade lies; by its id where the gap has one on that side, for times alone do not tell trades apart.
enum Place {
    Before,
    Inside,
    Behind,
}

fn place(gap: &Gap, trade: &Trade) -> Place {
    let before = match gap.after {
        Some(TradeId::Number(after)) => trade.order <= after,
        _ => trade.timestamp < gap.start,
    };
    let behind = match gap.before {
        Some(TradeId::Number(before)) => trade.order >= before,
        _ => trade.timestamp > gap.end,
    };
    match (before, behind) {
        (true, _) => Place::Before,
        (_, true) => Place::Behind,
        _ => Place::Inside,
    }
}

enum RowFault {
    /// The text is no JSON: the answer is of no use.
    Damaged(Reason),
    /// This row is not as documented.
    Row(Reason),
}

impl From<tapedeck_sdk::json::Error> for RowFault {
    fn from(error: tapedeck_sdk::json::Error) -> Self {
        if error.is_syntax() { Self::Damaged(error.into()) } else { Self::Row(error.into()) }
    }
}

/// `[price, volume, time, side, order type, miscellaneous, trade id]`
fn trade(market: u32, row: Value<'_, '_>) -> Result<Trade, RowFault> {
    let mut row = row.array()?;
    let price = row.element()?.decimal()?;
    let quantity = row.element()?.decimal()?;
    let timestamp = time::from_decimal_seconds(&row.element()?.text()?).map_err(RowFault::Row)?;
    let side = match &*row.element()?.str()? {
        "b" => Side::Buy,
        "s" => Side::Sell,
        other => {
            return Err(RowFault::Row(format!("the side is {}, neither b nor s", excerpt(other.as_bytes())).into()));
        }
    };
    let vendor = match &*row.element()?.str()? {
        "l" => vendor("limit"),
        "m" => vendor("market"),
        other => vendor(other),
    };
    row.element()?.skip()?;
    let id = TradeId::Number(row.element()?.u64()?);
    Ok(Trade { source: Source::Backfill, vendor, ..Trade::new(market, id, price, quantity, side, timestamp) })
}

/// Why Kraken refuses, if it does. Messages start with their severity: `E` is an error, `W` a warning.
fn refused(errors: &[String]) -> Option<Reason> {
    for warning in errors.iter().filter(|error| error.starts_with('W')) {
        log(Level::Warn, &format!("Kraken warns: {}", excerpt(warning.as_bytes())));
    }
    let errors: Vec<&str> = errors.iter().map(String::as_str).filter(|error| !error.starts_with('W')).collect();
    let first = errors.first()?;
    let limited = ["EAPI:Rate limit", "EGeneral:Too many requests", "EService: Throttled", "EService:Throttled"];
    let text = excerpt(errors.join(", ").as_bytes());
    if limited.iter().any(|limit| first.starts_with(limit)) {
        return Some(format!("Kraken's rate limit is exceeded: {text}: ask again later, and less often").into());
    }
    Some(format!("Kraken refuses: {text}").into())
}
