//! A combined stream's `trade` event.

use serde::Deserialize;
use tapedeck_sdk::{Decimal, Markets, Side, Trade, TradeId};

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

pub(crate) fn frame(markets: &Markets, bytes: &[u8], trades: &mut Vec<Trade>) -> Result<(), String> {
    let Combined { data: event } = serde_json::from_slice(bytes).map_err(|error| error.to_string())?;
    if event.kind != "trade" {
        return Err(format!("an event of the kind {}", event.kind));
    }
    let market = markets.find(event.symbol.as_bytes()).ok_or_else(|| format!("no market {}", event.symbol))?;
    let (price, quantity) = (Decimal::parse(event.price)?, Decimal::parse(event.quantity)?);
    let side = if event.buyer_is_maker { Side::Sell } else { Side::Buy };
    let time_us = event.time_ms.checked_mul(1000).ok_or("the time is out of range")?;
    trades.push(Trade::new(market, TradeId::Number(event.id), price, quantity, side, time_us));
    Ok(())
}
