//! crypto-msg-parser: from a text message to its trades. It wants the ids of both orders (`b`, `a`), which Binance no longer sends:
//! they are put in, ten digits each, as they once came.

use std::error::Error;
use std::hint::black_box;

use crypto_market_type::MarketType;

pub fn pass(frames: &[&str]) -> Result<Box<dyn FnMut() -> Result<usize, Box<dyn Error>>>, Box<dyn Error>> {
    let mut messages = Vec::with_capacity(frames.len());
    for frame in frames {
        let (head, tail) = frame.split_once(",\"T\":").ok_or("a frame without a time")?;
        messages.push(format!("{head},\"b\":8800000000,\"a\":8800000001,\"T\":{tail}"));
    }
    Ok(Box::new(move || {
        let mut trades = 0;
        for message in &messages {
            for trade in crypto_msg_parser::parse_trade("binance", MarketType::Spot, message)? {
                black_box(trade);
                trades += 1;
            }
        }
        Ok(trades)
    }))
}
