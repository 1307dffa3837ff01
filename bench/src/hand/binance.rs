//! Frames of Binance's combined streams.

use serde::Deserialize;

use super::trade::Trade;

#[derive(Deserialize)]
struct Combined<'a> {
    #[serde(borrow)]
    data: Event<'a>,
}

#[derive(Deserialize)]
struct Event<'a> {
    #[serde(rename = "e")]
    kind: &'a str,
    #[serde(rename = "s")]
    symbol: &'a str,
    #[serde(rename = "t")]
    id: u64,
    #[serde(rename = "p")]
    price: &'a str,
    #[serde(rename = "q")]
    quantity: &'a str,
    #[serde(rename = "T")]
    time_ms: i64,
    #[serde(rename = "m")]
    buyer_is_maker: bool,
}

/// The trade in a frame; none if it is something else.
pub(super) fn trade(frame: &str) -> Option<Trade<'_>> {
    let Combined { data } = serde_json::from_str(frame).ok()?;
    (data.kind == "trade").then_some(Trade {
        symbol: data.symbol,
        id: data.id,
        price: data.price,
        quantity: data.quantity,
        sell: data.buyer_is_maker,
        timestamp_us: data.time_ms * 1_000,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trade_is_read_and_an_answer_is_none() {
        let frame = r#"{"stream":"ethusdt@trade","data":{"e":"trade","E":1755000000128,"s":"ETHUSDT","t":7001,"p":"187.43000000","q":"0.50000000","T":1755000000127,"m":true,"M":true}}"#;
        let expected = Trade {
            symbol: "ETHUSDT",
            id: 7001,
            price: "187.43000000",
            quantity: "0.50000000",
            sell: true,
            timestamp_us: 1_755_000_000_127_000,
        };
        assert_eq!(trade(frame), Some(expected));
        assert_eq!(trade(r#"{"result":null,"id":1}"#), None);
    }
}
