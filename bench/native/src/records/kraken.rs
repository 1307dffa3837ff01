//! A frame of the trade channel. Its numbers stay text until they are exact decimals.

use serde::Deserialize;
use serde_json::value::RawValue;
use tapedeck_sdk::{Decimal, Markets, Side, Source, Trade, TradeId, time};

#[derive(Deserialize)]
struct Message<'a> {
    channel: &'a str,
    #[serde(rename = "type")]
    kind: &'a str,
    #[serde(borrow)]
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
    ord_type: &'a str,
    trade_id: u64,
    timestamp: &'a str,
}

pub(crate) fn frame(markets: &Markets, bytes: &[u8], trades: &mut Vec<Trade>) -> Result<(), String> {
    let message: Message<'_> = serde_json::from_slice(bytes).map_err(|error| error.to_string())?;
    let source = match (message.channel, message.kind) {
        ("trade", "update") => Source::Live,
        ("trade", "snapshot") => Source::Snapshot,
        (channel, kind) => return Err(format!("a message of the channel {channel} and the type {kind}")),
    };
    for row in message.data {
        let market = markets.find(row.symbol.as_bytes()).ok_or_else(|| format!("no market {}", row.symbol))?;
        let side = match row.side {
            "buy" => Side::Buy,
            "sell" => Side::Sell,
            other => return Err(format!("a side {other}")),
        };
        let vendor = match row.ord_type {
            "limit" => r#"{"ord_type":"limit"}"#.to_owned(),
            "market" => r#"{"ord_type":"market"}"#.to_owned(),
            other => return Err(format!("an order of the type {other}")),
        };
        let (price, quantity) = (Decimal::parse(row.price.get())?, Decimal::parse(row.qty.get())?);
        let time_us = time::from_rfc3339(row.timestamp)?;
        let trade = Trade::new(market, TradeId::Number(row.trade_id), price, quantity, side, time_us);
        trades.push(Trade { source, vendor, ..trade });
    }
    Ok(())
}
