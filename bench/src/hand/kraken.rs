//! Messages of Kraken's WebSocket v2. Prices are numbers there, so their text is kept as it is.

use serde::Deserialize;
use serde_json::value::RawValue;

use super::trade::Trade;

#[derive(Deserialize)]
struct Message<'a> {
    channel: &'a str,
    #[serde(borrow, default)]
    data: Vec<Row<'a>>,
}

#[derive(Deserialize)]
struct Row<'a> {
    symbol: &'a str,
    side: &'a str,
    #[serde(borrow)]
    price: &'a RawValue,
    #[serde(borrow)]
    qty: &'a RawValue,
    trade_id: u64,
    timestamp: &'a str,
}

/// The trades in a message; none if it is something else.
pub(super) fn trades(message: &str) -> Vec<Trade<'_>> {
    match serde_json::from_str::<Message<'_>>(message) {
        Ok(message) if message.channel == "trade" => message.data.iter().filter_map(trade).collect(),
        _ => Vec::new(),
    }
}

fn trade<'a>(row: &Row<'a>) -> Option<Trade<'a>> {
    let time: jiff::Timestamp = row.timestamp.parse().ok()?;
    Some(Trade {
        symbol: row.symbol,
        id: row.trade_id,
        price: row.price.get(),
        quantity: row.qty.get(),
        sell: row.side == "sell",
        timestamp_us: time.as_microsecond(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn trades_are_read_and_other_channels_have_none() {
        let message = r#"{"channel":"trade","type":"update","data":[{"symbol":"ETH/USD","side":"buy","price":2711.06,"qty":0.12,"ord_type":"limit","trade_id":55120901,"timestamp":"2026-02-03T09:15:27.118200Z"}]}"#;
        let expected = Trade {
            symbol: "ETH/USD",
            id: 55_120_901,
            price: "2711.06",
            quantity: "0.12",
            sell: false,
            timestamp_us: 1_770_110_127_118_200,
        };
        assert_eq!(trades(message), [expected]);
        assert_eq!(trades(r#"{"channel":"heartbeat"}"#), []);
    }
}
