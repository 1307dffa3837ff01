//! Ways to make the records of the world.

use crate::{Decimal, HttpRequest, OpenError, OpenRequest, Side, Source, Trade, TradeId};

impl Trade {
    /// A live trade with what every exchange gives. Its order is the number of its id (0 for a text), its count 1, its
    /// vendor text empty. Set other fields with `Trade { source: Source::Snapshot, ..Trade::new(…) }`.
    #[inline]
    #[must_use]
    pub fn new(market: u32, id: TradeId, price: Decimal, quantity: Decimal, side: Side, timestamp: i64) -> Self {
        let order = match id {
            TradeId::Number(number) => number,
            TradeId::Text(_) => 0,
        };
        let (frame, count, source, vendor) = (0, 1, Source::Live, String::new());
        Self { frame, market, id, order, count, price, quantity, side, timestamp, source, vendor }
    }
}

impl OpenError {
    /// An error that is no single market's.
    #[must_use]
    pub fn new(reason: impl Into<String>) -> Self {
        Self { market: None, reason: reason.into() }
    }

    /// An error of the market with this index in the request.
    #[must_use]
    pub fn of_market(index: usize, reason: impl Into<String>) -> Self {
        Self { market: u32::try_from(index).ok(), reason: reason.into() }
    }
}

impl OpenRequest {
    /// The base of the WebSocket url: the user's, or `default`; without a slash at its end.
    #[must_use]
    pub fn endpoint_or<'a>(&'a self, default: &'a str) -> &'a str {
        self.endpoint.as_deref().unwrap_or(default).trim_end_matches('/')
    }

    /// The base of REST urls: the user's, or `default`; without a slash at its end.
    #[must_use]
    pub fn rest_endpoint_or<'a>(&'a self, default: &'a str) -> &'a str {
        self.rest_endpoint.as_deref().unwrap_or(default).trim_end_matches('/')
    }
}

impl HttpRequest {
    /// A request for `url` with this query, percent-encoded, without headers; `weight` is what it costs of the budget.
    #[must_use]
    pub fn get(url: &str, query: &[(&str, &str)], weight: u32) -> Self {
        let mut url = url.to_owned();
        for (index, (name, value)) in query.iter().enumerate() {
            url.push(if index == 0 { '?' } else { '&' });
            encode(&mut url, name);
            url.push('=');
            encode(&mut url, value);
        }
        Self { url, headers: Vec::new(), weight }
    }
}

/// Percent-encodes what RFC 3986 does not call unreserved.
fn encode(url: &mut String, text: &str) {
    for &byte in text.as_bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            url.push(char::from(byte));
        } else {
            url.push('%');
            for digit in [byte >> 4, byte & 15] {
                url.push(char::from(b"0123456789ABCDEF"[usize::from(digit)]));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn encodes_a_query() {
        let request = HttpRequest::get("https://api.acme.test/trades", &[("pair", "BTC/é"), ("since", "1~2")], 3);
        assert_eq!(request.url, "https://api.acme.test/trades?pair=BTC%2F%C3%A9&since=1~2");
        assert_eq!(request.weight, 3);
        assert_eq!(HttpRequest::get("http://h/p", &[], 1).url, "http://h/p");
    }
}
