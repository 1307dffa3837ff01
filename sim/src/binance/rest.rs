//! Binance's REST: trades, historicalTrades, aggTrades, and what a client asks besides.

use serde_json::{Value, json};
use tokio::time::Instant;

use crate::binance::frames::{aggregate_id, time_in, total_quantity};
use crate::decimal::{decimal_text, write_decimal, write_integer};
use crate::market::Market;
use crate::rest::Answer;
use crate::shared::Shared;
use crate::trade::{Side, Trade};

/// Rows that a request gets without a limit of its own, and at most.
const LIMITS: (usize, usize) = (500, 1_000);

/// A request: the path behind `/api/v3/`, the query, and the unit of times.
pub(crate) struct RestRequest<'a> {
    pub(crate) path: &'a str,
    pub(crate) query: &'a [(String, String)],
    pub(crate) microseconds: bool,
}

impl RestRequest<'_> {
    fn parameter(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    fn number(&self, name: &str) -> Result<Option<u64>, Answer> {
        let illegal = || {
            error(
                400,
                -1100,
                format!("Illegal characters found in parameter '{name}'; legal range is '^[0-9]{{1,20}}$'."),
            )
        };
        self.parameter(name).map(|text| text.parse().map_err(|_| illegal())).transpose()
    }

    fn limit(&self) -> Result<usize, Answer> {
        let limit = self.number("limit")?.map_or(LIMITS.0, |limit| usize::try_from(limit).unwrap_or(LIMITS.1));
        Ok(limit.min(LIMITS.1))
    }

    /// Weights after the documentation of 2026.
    fn weight(&self) -> u64 {
        match self.path {
            "trades" | "historicalTrades" => 25,
            "aggTrades" => 4,
            "exchangeInfo" => 20,
            _ => 1,
        }
    }
}

/// Answers a request.
pub(crate) fn answer(shared: &Shared, request: &RestRequest<'_>) -> Answer {
    match shared.spend_rest_weight(request.weight(), Instant::now()) {
        Ok(used) => {
            let answered = match request.path {
                "ping" => Ok(Answer::ok("{}")),
                "time" => Ok(server_time(shared, request)),
                "exchangeInfo" => Ok(exchange_info(shared, request)),
                "trades" | "historicalTrades" => trades(shared, request),
                "aggTrades" => aggregates(shared, request),
                _ => Err(Answer::with_status(404, "<html><body><h2>404 Not found</h2></body></html>")),
            };
            answered.unwrap_or_else(|refusal| refusal).with_header("x-mbx-used-weight-1m", used)
        }
        Err(retry_after) => error(429, -1003, "Too much request weight used; current limit is exceeded.".to_owned())
            .with_header("retry-after", retry_after),
    }
}

fn error(status: u16, code: i32, message: String) -> Answer {
    Answer::with_status(status, json!({ "code": code, "msg": message }).to_string())
}

fn server_time(shared: &Shared, request: &RestRequest<'_>) -> Answer {
    Answer::ok(json!({ "serverTime": time_in(request.microseconds, shared.now_us()) }).to_string())
}

fn exchange_info(shared: &Shared, request: &RestRequest<'_>) -> Answer {
    let symbol = |market: &Market| {
        let (base, quote) = (market.base(), market.quote());
        json!({ "symbol": market.symbol, "status": "TRADING", "baseAsset": base, "quoteAsset": quote })
    };
    let symbols: Vec<Value> = shared.hub().markets.iter().map(symbol).collect();
    let time = time_in(request.microseconds, shared.now_us());
    Answer::ok(json!({ "timezone": "UTC", "serverTime": time, "symbols": symbols }).to_string())
}

/// Runs `find` on the market that the request names.
fn with_market<T>(
    shared: &Shared,
    request: &RestRequest<'_>,
    find: impl FnOnce(&Market, &crate::history::History) -> T,
) -> Result<T, Answer> {
    let symbol = request.parameter("symbol").filter(|symbol| !symbol.is_empty()).ok_or_else(|| {
        error(400, -1102, "Mandatory parameter 'symbol' was not sent, was empty/null, or malformed.".to_owned())
    })?;
    let hub = shared.hub();
    let market = hub.market_of_symbol(symbol).ok_or_else(|| error(400, -1121, "Invalid symbol.".to_owned()))?;
    Ok(find(&hub.markets[market], &hub.histories[market]))
}

fn trades(shared: &Shared, request: &RestRequest<'_>) -> Result<Answer, Answer> {
    let (limit, from_id) = (request.limit()?, request.number("fromId")?);
    if request.path == "trades" && from_id.is_some() {
        return Err(error(400, -1101, "Too many parameters; expected '2' and received '3'.".to_owned()));
    }
    let found = with_market(shared, request, |_, history| match from_id {
        Some(id) => history.since_id(id, limit).to_vec(),
        None => history.newest(limit).to_vec(),
    })?;
    Ok(rows(&found, |out, trade| write_trade(out, trade, request.microseconds)))
}

fn aggregates(shared: &Shared, request: &RestRequest<'_>) -> Result<Answer, Answer> {
    let limit = request.limit()?;
    let (from_id, start, end) = (request.number("fromId")?, request.number("startTime")?, request.number("endTime")?);
    if from_id.is_some() && (start.is_some() || end.is_some()) {
        return Err(error(400, -1128, "Combination of optional parameters invalid.".to_owned()));
    }
    // Times of a request may be in either unit, whatever the answer's is.
    let to_us = |time: u64| if time < 100_000_000_000_000 { time * 1_000 } else { time } as i64;
    let end_us = end.map_or(i64::MAX, |end| to_us(end).saturating_add(999));
    with_market(shared, request, |market, history| {
        let groups = match (from_id, start, end) {
            (Some(id), _, _) => {
                let ordinal = u32::try_from(id.saturating_sub(market.first_aggregate_id)).unwrap_or(u32::MAX);
                history.aggregates_from(ordinal, limit)
            }
            (None, None, None) => history.newest_aggregates(limit),
            (None, start, _) => {
                let start_us = start.map_or(i64::MIN, to_us);
                let found = history.since_time(|trade| trade.timestamp_us < start_us, 1);
                let groups = found.first().map(|trade| history.aggregates_from(trade.aggregate, limit));
                groups.unwrap_or_default().into_iter().filter(|group| group[0].timestamp_us <= end_us).collect()
            }
        };
        rows(&groups, |out, group| write_aggregate(out, market, group, request.microseconds))
    })
}

fn rows<Row>(rows: &[Row], write: impl Fn(&mut Vec<u8>, &Row)) -> Answer {
    let mut out = vec![b'['];
    for (index, row) in rows.iter().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        write(&mut out, row);
    }
    out.push(b']');
    Answer::ok(String::from_utf8(out).unwrap_or_default())
}

fn write_trade(out: &mut Vec<u8>, trade: &Trade, microseconds: bool) {
    out.extend_from_slice(b"{\"id\":");
    write_integer(out, trade.id);
    out.extend_from_slice(b",\"price\":\"");
    write_decimal(out, trade.price, trade.price_scale);
    out.extend_from_slice(b"\",\"qty\":\"");
    write_decimal(out, trade.quantity, trade.quantity_scale);
    out.extend_from_slice(b"\",\"quoteQty\":\"");
    out.extend_from_slice(quote_quantity(trade).as_bytes());
    out.extend_from_slice(b"\",\"time\":");
    write_integer(out, time_in(microseconds, trade.timestamp_us));
    let maker: &[u8] = if trade.side == Side::Sell { b"true" } else { b"false" };
    out.extend_from_slice(b",\"isBuyerMaker\":");
    out.extend_from_slice(maker);
    out.extend_from_slice(b",\"isBestMatch\":true}");
}

/// Price times quantity, cut to eight digits as Binance gives it.
fn quote_quantity(trade: &Trade) -> String {
    let product = u128::from(trade.price) * u128::from(trade.quantity);
    let scale = u32::from(trade.price_scale) + u32::from(trade.quantity_scale);
    let shown = if scale > 8 { product / 10_u128.pow(scale - 8) } else { product };
    decimal_text(u64::try_from(shown).unwrap_or(u64::MAX), scale.min(8) as u8)
}

fn write_aggregate(out: &mut Vec<u8>, market: &Market, fills: &[Trade], microseconds: bool) {
    let (Some(first), Some(last)) = (fills.first(), fills.last()) else { return };
    let numbers: [(&[u8], u64); 3] = [
        (b",\"f\":", first.id),
        (b",\"l\":", last.id),
        (b",\"T\":", time_in(microseconds, first.timestamp_us).unsigned_abs()),
    ];
    out.extend_from_slice(b"{\"a\":");
    write_integer(out, aggregate_id(market, first));
    out.extend_from_slice(b",\"p\":\"");
    write_decimal(out, first.price, first.price_scale);
    out.extend_from_slice(b"\",\"q\":\"");
    write_decimal(out, total_quantity(fills), first.quantity_scale);
    out.push(b'"');
    for (key, value) in numbers {
        out.extend_from_slice(key);
        write_integer(out, value);
    }
    let maker: &[u8] = if first.side == Side::Sell { b",\"m\":true,\"M\":true}" } else { b",\"m\":false,\"M\":true}" };
    out.extend_from_slice(maker);
}
