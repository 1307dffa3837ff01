//! barter-data: from a text message to its normalised trades, by its own parser and transformer. It subscribes to raw streams, whose
//! messages have no envelope.

use std::error::Error;
use std::hint::black_box;

use barter_data::exchange::binance::spot::BinanceSpot;
use barter_data::exchange::binance::trade::BinanceTrade;
use barter_data::subscription::Map;
use barter_data::subscription::trade::PublicTrades;
use barter_data::transformer::ExchangeTransformer;
use barter_data::transformer::stateless::StatelessTransformer;
use barter_instrument::instrument::market_data::MarketDataInstrument;
use barter_instrument::instrument::market_data::kind::MarketDataInstrumentKind;
use barter_integration::Transformer;
use barter_integration::protocol::StreamParser;
use barter_integration::protocol::websocket::{WebSocketSerdeParser, WsMessage};
use barter_integration::subscription::SubscriptionId;

type Trades = StatelessTransformer<BinanceSpot, MarketDataInstrument, PublicTrades, BinanceTrade>;

pub fn pass(
    markets: &str,
    frames: &[&str],
) -> Result<Box<dyn FnMut() -> Result<usize, Box<dyn Error>>>, Box<dyn Error>> {
    let mut instruments = Vec::new();
    for market in markets.split(',') {
        let (base, quote) = market.split_once('/').ok_or("a market is written BASE/QUOTE")?;
        let instrument =
            MarketDataInstrument::new(base.to_lowercase(), quote.to_lowercase(), MarketDataInstrumentKind::Spot);
        instruments.push((SubscriptionId::from(format!("@trade|{base}{quote}")), instrument));
    }
    let map: Map<MarketDataInstrument> = instruments.into_iter().collect();
    let (sender, _receiver) = tokio::sync::mpsc::unbounded_channel();
    let ready =
        <Trades as ExchangeTransformer<BinanceSpot, MarketDataInstrument, PublicTrades>>::init(map, &[], sender);
    let mut transformer = futures::executor::block_on(ready)?;
    let mut messages = Vec::with_capacity(frames.len());
    for frame in frames {
        let (_, rest) = frame.split_once("\"data\":").ok_or("a frame without an envelope")?;
        let event = rest.strip_suffix('}').ok_or("a frame that ends too early")?;
        messages.push(WsMessage::text(event.to_owned()));
    }
    Ok(Box::new(move || {
        let mut trades = 0;
        for message in &messages {
            // A clone counts up a reference and copies nothing.
            let parsed = <WebSocketSerdeParser as StreamParser<BinanceTrade>>::parse(Ok(message.clone()));
            let event = parsed.ok_or("a message was not parsed")??;
            for trade in transformer.transform(event) {
                black_box(trade?);
                trades += 1;
            }
        }
        Ok(trades)
    }))
}
