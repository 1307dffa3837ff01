//! The conversion of a plugin's answer: what the host believes of it is within bounds, and makes a record that is one line of
//! JSON.

use serde_json::Value;
use tapedeck::plugin::{SessionEvent, fuzz};
use tapedeck::sink::record::RecordTemplate;
use tapedeck::trade::{Instrument, MarketKind, Origin, Trade};

use super::{check_reason, check_sentence, is_obeyed};

pub(super) fn run(bytes: &[u8]) {
    let Some((question, decoded)) = fuzz::answer(bytes) else { return };
    let template = template(question.markets);
    for trade in &decoded.trades {
        assert!(question.frames.contains(&trade.frame) && trade.market < question.markets, "{trade:?}");
        check_trade(trade, &template);
    }
    for refused in &decoded.refused {
        assert!(question.frames.contains(&refused.frame), "{refused:?}");
        check_reason(&refused.reason);
    }
    for event in &decoded.events {
        assert!(question.frames.contains(&event.frame), "{event:?}");
        match &event.what {
            SessionEvent::Subscribed(market) => assert!(*market < question.markets),
            SessionEvent::Rejected { market, reason } => {
                assert!(market.is_none_or(|market| market < question.markets));
                check_sentence(reason);
            }
            SessionEvent::Reconnect(reason) => check_sentence(reason),
            SessionEvent::Heartbeat | SessionEvent::Send(_) => {}
        }
    }
}

/// The records of a session of so many markets.
pub(super) fn template(markets: u32) -> RecordTemplate {
    let instrument =
        |number: u32| Instrument { canonical_symbol: format!("A{number}/B"), symbol: format!("a{number}b") };
    RecordTemplate::new(&Origin {
        exchange: "moonex".to_owned(),
        kind: MarketKind::Spot,
        plugin: "moonex".to_owned(),
        plugin_version: "1.0.0".to_owned(),
        instruments: (0..markets).map(instrument).collect(),
    })
}

/// A trade makes a record that is one line of JSON.
pub(super) fn check_trade(trade: &Trade, template: &RecordTemplate) {
    let id = trade.id.to_string();
    assert!((1..=128).contains(&id.len()) && !id.chars().any(is_obeyed), "{id:?}");
    let mut line = Vec::new();
    template.write(trade, 1, &mut line);
    assert!(!line.contains(&b'\n'), "{}", line.escape_ascii());
    let record: Value = match serde_json::from_slice(&line) {
        Ok(record) => record,
        Err(error) => panic!("{error}: {}", line.escape_ascii()),
    };
    assert_eq!((record["trade_id"].as_str(), record["order"].as_u64()), (Some(id.as_str()), Some(trade.order)));
    assert_eq!(record["price"].as_str(), Some(trade.price.to_string().as_str()));
    assert_eq!(record["timestamp_us"].as_i64(), Some(trade.timestamp_us));
    assert!(record["vendor"].is_object(), "{record}");
    assert_eq!(record["plugin"], "moonex");
}
