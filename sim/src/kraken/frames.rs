//! Kraken's frames. Prices and quantities are JSON numbers with the digits of the market's steps.

use crate::decimal::{write_decimal, write_integer};
use crate::market::Market;
use crate::time::write_rfc3339;
use crate::trade::{Side, Trade};

/// The type of frames with trades as they happen.
pub(crate) const UPDATE: &str = "update";
/// The type of the frame with trades from before the subscription.
pub(crate) const SNAPSHOT: &str = "snapshot";

/// Writes a frame of the trade channel.
pub(crate) fn write_trades(out: &mut Vec<u8>, market: &Market, trades: &[Trade], kind: &str) {
    out.extend_from_slice(b"{\"channel\":\"trade\",\"type\":\"");
    out.extend_from_slice(kind.as_bytes());
    out.extend_from_slice(b"\",\"data\":[");
    for (index, trade) in trades.iter().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        write_row(out, market, trade);
    }
    out.extend_from_slice(b"]}");
}

fn write_row(out: &mut Vec<u8>, market: &Market, trade: &Trade) {
    out.extend_from_slice(b"{\"symbol\":\"");
    out.extend_from_slice(market.symbol.as_bytes());
    let side: &[u8] = if trade.side == Side::Buy { b"\",\"side\":\"buy\"" } else { b"\",\"side\":\"sell\"" };
    out.extend_from_slice(side);
    out.extend_from_slice(b",\"price\":");
    write_decimal(out, trade.price, trade.price_scale);
    out.extend_from_slice(b",\"qty\":");
    write_decimal(out, trade.quantity, trade.quantity_scale);
    out.extend_from_slice(b",\"ord_type\":\"");
    let order_type: &[u8] = if trade.limit_order() { b"limit" } else { b"market" };
    out.extend_from_slice(order_type);
    out.extend_from_slice(b"\",\"trade_id\":");
    write_integer(out, trade.id);
    out.extend_from_slice(b",\"timestamp\":\"");
    write_rfc3339(out, trade.timestamp_us);
    out.extend_from_slice(b"\"}");
}

/// The `status` message, sent on connect and when the system's state changes.
pub(crate) fn status(connection: u64, system: &str) -> String {
    format!(
        "{{\"channel\":\"status\",\"type\":\"update\",\"data\":[{{\"version\":\"2.0.10\",\"system\":\"{system}\",\
         \"api_version\":\"v2\",\"connection_id\":{connection}}}]}}"
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::options::Exchange;

    #[test]
    fn a_frame_is_that_of_the_documentation() {
        let market = Market::parse(Exchange::Kraken, "BTC/USD").unwrap();
        let trade = Trade {
            id: 10_218_208,
            timestamp_us: 1_696_613_755_440_295,
            price: 10_594_420,
            quantity: 27_625,
            aggregate: 0,
            price_scale: 2,
            quantity_scale: 8,
            side: Side::Buy,
            late: false,
        };
        let mut out = Vec::new();
        write_trades(&mut out, &market, &[trade, Trade { side: Side::Sell, id: 10_218_209, ..trade }], UPDATE);
        let kind = |limit| if limit { "limit" } else { "market" };
        let (first, second) = (kind(trade.limit_order()), kind(Trade { id: 10_218_209, ..trade }.limit_order()));
        assert_eq!(
            String::from_utf8(out).unwrap(),
            format!(
                "{{\"channel\":\"trade\",\"type\":\"update\",\"data\":[{{\"symbol\":\"BTC/USD\",\"side\":\"buy\",\
                 \"price\":105944.20,\"qty\":0.00027625,\"ord_type\":\"{first}\",\"trade_id\":10218208,\
                 \"timestamp\":\"2023-10-06T17:35:55.440295Z\"}},{{\"symbol\":\"BTC/USD\",\"side\":\"sell\",\
                 \"price\":105944.20,\"qty\":0.00027625,\"ord_type\":\"{second}\",\"trade_id\":10218209,\
                 \"timestamp\":\"2023-10-06T17:35:55.440295Z\"}}]}}"
            )
        );
    }
}
