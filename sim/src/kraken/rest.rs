//! Kraken's REST: Trades, and what a client asks besides. Errors come with a status of 200.

use serde_json::json;

use crate::decimal::{decimal_text, parse_decimal, write_decimal, write_integer, write_padded};
use crate::kraken::pair::{is_pair_of, rest_key};
use crate::market::Market;
use crate::random::mix;
use crate::rest::Answer;
use crate::shared::Shared;
use crate::time::{SECOND_US, rfc3339};
use crate::trade::{Side, Trade};

/// Rows of an answer at most.
const MOST_ROWS: usize = 1_000;

/// Digits of a price after the point in REST, where the socket shows fewer.
const PRICE_DIGITS: u8 = 5;

/// Answers a request for a path behind `/0/public/`.
pub(crate) fn answer(shared: &Shared, path: &str, query: &[(String, String)]) -> Answer {
    match path {
        "Time" => {
            let now_us = shared.now_us();
            let result = json!({ "unixtime": now_us / SECOND_US, "rfc1123": rfc3339(now_us) });
            Answer::ok(json!({ "error": [], "result": result }).to_string())
        }
        "SystemStatus" => {
            let timestamp = rfc3339(shared.now_us() / SECOND_US * SECOND_US).replace(".000000", "");
            Answer::ok(json!({ "error": [], "result": { "status": "online", "timestamp": timestamp } }).to_string())
        }
        "AssetPairs" => asset_pairs(shared),
        "Trades" => trades(shared, query).unwrap_or_else(error),
        _ => error("EGeneral:Unknown method"),
    }
}

fn error(reason: &str) -> Answer {
    Answer::ok(json!({ "error": [reason] }).to_string())
}

fn asset_pairs(shared: &Shared) -> Answer {
    let mut pairs = serde_json::Map::new();
    for market in &shared.hub().markets {
        let names =
            json!({ "wsname": market.symbol, "base": market.base(), "quote": market.quote(), "status": "online" });
        pairs.insert(rest_key(market), names);
    }
    Answer::ok(json!({ "error": [], "result": pairs }).to_string())
}

fn trades(shared: &Shared, query: &[(String, String)]) -> Result<Answer, &'static str> {
    let parameter = |name: &str| query.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str());
    let count = parameter("count").map_or(Ok(MOST_ROWS), str::parse).map_err(|_| "EGeneral:Invalid arguments:count")?;
    let count = count.clamp(1, MOST_ROWS);
    let since_ns = parameter("since").map(since_ns).transpose()?;
    let pair = parameter("pair").ok_or("EGeneral:Invalid arguments")?;
    let skew_us = shared.options.rest_skew_us;
    let hub = shared.hub();
    let market = hub.markets.iter().position(|market| is_pair_of(market, pair)).ok_or("EQuery:Unknown asset pair")?;
    let (market, history) = (&hub.markets[market], &hub.histories[market]);
    let rows = match since_ns {
        // What stands at exactly this time was given before.
        Some(since) => history.since_time(|trade| rest_time_ns(trade, skew_us) <= since, count),
        None => history.newest(count),
    };
    // A late trade's time would lead the client hours back.
    let last_ns = rows.iter().rev().find(|trade| !trade.late).map(|trade| rest_time_ns(trade, skew_us));
    Ok(Answer::ok(trades_body(market, rows, last_ns.or(since_ns).unwrap_or(0), skew_us)))
}

/// The cursor of a request in nanoseconds; a value of fewer than 13 digits is in seconds.
fn since_ns(text: &str) -> Result<i64, &'static str> {
    let invalid = "EGeneral:Invalid arguments:since";
    let (mantissa, scale) = parse_decimal(text).filter(|(_, scale)| *scale <= 9).ok_or(invalid)?;
    let seconds = mantissa / crate::decimal::POWERS_OF_TEN[usize::from(scale)];
    let in_ns = if seconds < 1_000_000_000_000 {
        mantissa.checked_mul(crate::decimal::POWERS_OF_TEN[usize::from(9 - scale)])
    } else {
        Some(seconds)
    };
    in_ns.and_then(|ns| i64::try_from(ns).ok()).ok_or(invalid)
}

/// The time that REST gives: the socket's microseconds, and a digit more that the socket does not show. Trades of the
/// same microsecond share it.
fn rest_time_ns(trade: &Trade, skew_us: i64) -> i64 {
    let seventh_digit = (mix(trade.timestamp_us as u64) % 10) as i64;
    (trade.timestamp_us + skew_us) * 1_000 + seventh_digit * 100
}

fn trades_body(market: &Market, rows: &[Trade], last_ns: i64, skew_us: i64) -> String {
    let mut out = Vec::with_capacity(100 + rows.len() * 90);
    out.extend_from_slice(format!("{{\"error\":[],\"result\":{{\"{}\":[", rest_key(market)).as_bytes());
    for (index, trade) in rows.iter().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        write_row(&mut out, trade, skew_us);
    }
    out.extend_from_slice(format!("],\"last\":\"{last_ns}\"}}}}").as_bytes());
    String::from_utf8(out).unwrap_or_default()
}

/// Writes `["105433.60000","0.00027625",1762795433.9717445,"b","l","",10218208]`.
fn write_row(out: &mut Vec<u8>, trade: &Trade, skew_us: i64) {
    out.extend_from_slice(b"[\"");
    write_decimal(out, trade.price, trade.price_scale);
    if trade.price_scale == 0 {
        out.push(b'.');
    }
    out.extend(std::iter::repeat_n(b'0', usize::from(PRICE_DIGITS.saturating_sub(trade.price_scale))));
    out.extend_from_slice(b"\",\"");
    out.extend_from_slice(decimal_text(trade.quantity, trade.quantity_scale).as_bytes());
    out.extend_from_slice(b"\",");
    write_seconds(out, rest_time_ns(trade, skew_us));
    let side: &[u8] = if trade.side == Side::Buy { b",\"b\"" } else { b",\"s\"" };
    let order_type: &[u8] = if trade.limit_order() { b",\"l\",\"\"," } else { b",\"m\",\"\"," };
    out.extend_from_slice(side);
    out.extend_from_slice(order_type);
    write_integer(out, trade.id);
    out.push(b']');
}

/// Writes seconds as a JSON number with up to seven digits after the point, without zeros at the end.
fn write_seconds(out: &mut Vec<u8>, time_ns: i64) {
    let tenths_of_us = (time_ns / 100).unsigned_abs();
    write_integer(out, tenths_of_us / 10_000_000);
    out.push(b'.');
    write_padded(out, tenths_of_us % 10_000_000, 7);
    while out.ends_with(b"0") && !out.ends_with(b".0") {
        out.pop();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_keep_their_digits() {
        for (time_ns, text) in [
            (1_762_795_433_971_744_500, "1762795433.9717445"),
            (1_762_795_483_306_824_000, "1762795483.306824"),
            (1_762_795_483_000_000_000, "1762795483.0"),
            (1_762_795_480_000_000_100, "1762795480.0000001"),
        ] {
            let mut out = Vec::new();
            write_seconds(&mut out, time_ns);
            assert_eq!(String::from_utf8_lossy(&out), text);
        }
    }

    #[test]
    fn cursors_are_nanoseconds_or_seconds() {
        assert_eq!(since_ns("1616663618"), Ok(1_616_663_618_000_000_000));
        assert_eq!(since_ns("1616663618.5"), Ok(1_616_663_618_500_000_000));
        assert_eq!(since_ns("1616663618123456789"), Ok(1_616_663_618_123_456_789));
        assert_eq!(since_ns("0"), Ok(0));
        assert!(["", "-1", "x", "99999999999999999999"].iter().all(|text| since_ns(text).is_err()));
    }
}
