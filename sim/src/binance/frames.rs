//! Binance's frames.

use crate::decimal::{write_decimal, write_integer};
use crate::hub::Style;
use crate::market::Market;
use crate::trade::{Side, Trade};

/// Writes a `trade` event. Its event time is a millisecond behind the trade's, so that frames depend on the tape alone.
pub(crate) fn write_trade(out: &mut Vec<u8>, stream: &str, market: &Market, trade: &Trade, style: Style) {
    begin(out, stream, "trade", market, trade, style);
    out.extend_from_slice(b",\"t\":");
    write_integer(out, trade.id);
    out.extend_from_slice(b",\"p\":\"");
    write_decimal(out, trade.price, trade.price_scale);
    out.extend_from_slice(b"\",\"q\":\"");
    write_decimal(out, trade.quantity, trade.quantity_scale);
    out.push(b'"');
    end(out, trade, style);
}

/// Writes an `aggTrade` event of fills that share a price.
pub(crate) fn write_aggregate(out: &mut Vec<u8>, stream: &str, market: &Market, fills: &[Trade], style: Style) {
    let (Some(first), Some(last)) = (fills.first(), fills.last()) else { return };
    begin(out, stream, "aggTrade", market, first, style);
    out.extend_from_slice(b",\"a\":");
    write_integer(out, aggregate_id(market, first));
    out.extend_from_slice(b",\"p\":\"");
    write_decimal(out, first.price, first.price_scale);
    out.extend_from_slice(b"\",\"q\":\"");
    write_decimal(out, total_quantity(fills), first.quantity_scale);
    out.extend_from_slice(b"\",\"f\":");
    write_integer(out, first.id);
    out.extend_from_slice(b",\"l\":");
    write_integer(out, last.id);
    end(out, first, style);
}

/// The id of the aggregate that a trade belongs to.
pub(crate) fn aggregate_id(market: &Market, trade: &Trade) -> u64 {
    market.first_aggregate_id + u64::from(trade.aggregate)
}

/// The quantity of fills that share a scale.
pub(crate) fn total_quantity(fills: &[Trade]) -> u64 {
    fills.iter().map(|fill| fill.quantity).sum()
}

/// A time in the unit that the client asked for.
pub(crate) fn time_in(microseconds: bool, time_us: i64) -> i64 {
    if microseconds { time_us } else { time_us.div_euclid(1_000) }
}

fn begin(out: &mut Vec<u8>, stream: &str, event: &str, market: &Market, trade: &Trade, style: Style) {
    if style.combined {
        out.extend_from_slice(b"{\"stream\":\"");
        out.extend_from_slice(stream.as_bytes());
        out.extend_from_slice(b"\",\"data\":");
    }
    out.extend_from_slice(b"{\"e\":\"");
    out.extend_from_slice(event.as_bytes());
    out.extend_from_slice(b"\",\"E\":");
    write_integer(out, time_in(style.microseconds, trade.timestamp_us + 1_000));
    out.extend_from_slice(b",\"s\":\"");
    out.extend_from_slice(market.symbol.as_bytes());
    out.push(b'"');
}

fn end(out: &mut Vec<u8>, trade: &Trade, style: Style) {
    out.extend_from_slice(b",\"T\":");
    write_integer(out, time_in(style.microseconds, trade.timestamp_us));
    // The buyer is the maker where the taker sold.
    let rest: &[u8] = if trade.side == Side::Sell { b",\"m\":true,\"M\":true}" } else { b",\"m\":false,\"M\":true}" };
    out.extend_from_slice(rest);
    if style.combined {
        out.push(b'}');
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::options::Exchange;

    fn text(write: impl Fn(&mut Vec<u8>)) -> String {
        let mut out = Vec::new();
        write(&mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn frames_are_those_of_the_documentation() {
        let market = Market::parse(Exchange::Binance, "ETH/USDT").unwrap();
        let trade = Trade {
            id: 1_520_538_925,
            timestamp_us: 1_723_161_255_611_000,
            price: 268_380_000_000,
            quantity: 200_000,
            aggregate: 3,
            price_scale: 8,
            quantity_scale: 8,
            side: Side::Sell,
            late: false,
        };
        let combined = Style { combined: true, microseconds: false };
        assert_eq!(
            text(|out| write_trade(out, "ethusdt@trade", &market, &trade, combined)),
            "{\"stream\":\"ethusdt@trade\",\"data\":{\"e\":\"trade\",\"E\":1723161255612,\"s\":\"ETHUSDT\",\
             \"t\":1520538925,\"p\":\"2683.80000000\",\"q\":\"0.00200000\",\"T\":1723161255611,\"m\":true,\"M\":true}}"
        );
        let second = Trade { id: trade.id + 1, quantity: 50_000_000, ..trade };
        let raw = Style { combined: false, microseconds: true };
        let aggregate = market.first_aggregate_id + 3;
        assert_eq!(
            text(|out| write_aggregate(out, "ethusdt@aggTrade", &market, &[trade, second], raw)),
            format!(
                "{{\"e\":\"aggTrade\",\"E\":1723161255612000,\"s\":\"ETHUSDT\",\"a\":{aggregate},\"p\":\"2683.80000000\",\
                 \"q\":\"0.50200000\",\"f\":1520538925,\"l\":1520538926,\"T\":1723161255611000,\"m\":true,\"M\":true}}"
            )
        );
    }
}
