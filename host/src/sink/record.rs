//! A trade's record: its key, its headers and its line of JSON.

use rdkafka::message::{Header, OwnedHeaders};

use crate::trade::{Instrument, Origin, Source, Trade, TradeId};

/// Version of the record's layout, in the record and in its headers.
pub const SCHEMA_VERSION: u32 = 1;

/// What the records of one session share, prepared once.
#[derive(Debug)]
pub struct RecordTemplate {
    markets: Vec<MarketTemplate>,
    tail: Vec<u8>,
    headers: [OwnedHeaders; 3],
}

#[derive(Debug)]
struct MarketTemplate {
    key: String,
    head: Vec<u8>,
}

impl RecordTemplate {
    /// Prepares the records of a session.
    pub fn new(origin: &Origin) -> Self {
        let tail = format!(
            r#","plugin":{},"plugin_version":{}}}"#,
            json_text(&origin.plugin),
            json_text(&origin.plugin_version)
        );
        Self {
            markets: origin.instruments.iter().map(|instrument| MarketTemplate::new(origin, instrument)).collect(),
            tail: tail.into_bytes(),
            headers: [Source::Live, Source::Snapshot, Source::Backfill].map(|source| headers(origin, source)),
        }
    }

    /// The key of a market's records, `exchange:canonical_symbol`; none for a market that the session has not got.
    pub fn key(&self, market: u32) -> Option<&[u8]> {
        self.markets.get(market as usize).map(|market| market.key.as_bytes())
    }

    /// The headers of a record.
    pub fn headers(&self, source: Source) -> &OwnedHeaders {
        let [live, snapshot, backfill] = &self.headers;
        match source {
            Source::Live => live,
            Source::Snapshot => snapshot,
            Source::Backfill => backfill,
        }
    }

    /// Writes a trade's value over whatever `line` held. `received_at_us` is the host's time of its frame.
    pub fn write(&self, trade: &Trade, received_at_us: i64, line: &mut Vec<u8>) {
        line.clear();
        let Some(market) = self.markets.get(trade.market as usize) else { return };
        let mut integer = itoa::Buffer::new();
        line.extend_from_slice(&market.head);
        match &trade.id {
            TradeId::Number(number) => {
                line.push(b'"');
                line.extend_from_slice(integer.format(*number).as_bytes());
                line.push(b'"');
            }
            TradeId::Text(text) => line.extend_from_slice(json_text(text).as_bytes()),
        }
        line.extend_from_slice(br#","order":"#);
        line.extend_from_slice(integer.format(trade.order).as_bytes());
        line.extend_from_slice(br#","count":"#);
        line.extend_from_slice(integer.format(trade.count).as_bytes());
        line.extend_from_slice(br#","price":""#);
        trade.price.write_to(line);
        line.extend_from_slice(br#"","quantity":""#);
        trade.quantity.write_to(line);
        line.extend_from_slice(br#"","side":""#);
        line.extend_from_slice(trade.side.as_str().as_bytes());
        line.extend_from_slice(br#"","timestamp_us":"#);
        line.extend_from_slice(integer.format(trade.timestamp_us).as_bytes());
        line.extend_from_slice(br#","received_at_us":"#);
        line.extend_from_slice(integer.format(received_at_us).as_bytes());
        line.extend_from_slice(br#","source":""#);
        line.extend_from_slice(trade.source.as_str().as_bytes());
        line.extend_from_slice(br#"","vendor":"#);
        line.extend_from_slice(if trade.vendor.is_empty() { b"{}" } else { trade.vendor.as_bytes() });
        line.extend_from_slice(&self.tail);
    }
}

impl MarketTemplate {
    fn new(origin: &Origin, instrument: &Instrument) -> Self {
        let head = format!(
            r#"{{"schema":{SCHEMA_VERSION},"exchange":{},"symbol":{},"canonical_symbol":{},"market_kind":"{}","trade_id":"#,
            json_text(&origin.exchange),
            json_text(&instrument.symbol),
            json_text(&instrument.canonical_symbol),
            origin.kind.as_str(),
        );
        Self { key: format!("{}:{}", origin.exchange, instrument.canonical_symbol), head: head.into_bytes() }
    }
}

fn headers(origin: &Origin, source: Source) -> OwnedHeaders {
    OwnedHeaders::new_with_capacity(4)
        .insert(Header { key: "schema-version", value: Some(&SCHEMA_VERSION.to_string()) })
        .insert(Header { key: "plugin", value: Some(&origin.plugin) })
        .insert(Header { key: "plugin-version", value: Some(&origin.plugin_version) })
        .insert(Header { key: "source", value: Some(source.as_str()) })
}

fn json_text(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trade::{Decimal, MarketKind, Side};

    fn origin() -> Origin {
        Origin {
            exchange: "acme".to_owned(),
            kind: MarketKind::Spot,
            plugin: "acme".to_owned(),
            plugin_version: "1.2.3".to_owned(),
            instruments: vec![Instrument { canonical_symbol: "BTC/USD".to_owned(), symbol: "btc\"usd".to_owned() }],
        }
    }

    fn trade(id: TradeId, vendor: &str) -> Trade {
        Trade {
            frame: 0,
            market: 0,
            id,
            order: 7,
            count: 1,
            price: Decimal { unscaled: 268_380_000_000, scale: 8 },
            quantity: Decimal { unscaled: 2, scale: 3 },
            side: Side::Sell,
            timestamp_us: 1_723_161_255_611_000,
            source: Source::Snapshot,
            vendor: vendor.to_owned(),
        }
    }

    #[test]
    fn a_record_is_one_line_of_json_with_its_keys_in_order() {
        let template = RecordTemplate::new(&origin());
        let mut line = b"left over".to_vec();
        template.write(&trade(TradeId::Number(123), ""), 5, &mut line);
        assert_eq!(
            String::from_utf8(line).unwrap_or_default(),
            r#"{"schema":1,"exchange":"acme","symbol":"btc\"usd","canonical_symbol":"BTC/USD","market_kind":"spot","trade_id":"123","order":7,"count":1,"price":"2683.80000000","quantity":"0.002","side":"SELL","timestamp_us":1723161255611000,"received_at_us":5,"source":"snapshot","vendor":{},"plugin":"acme","plugin_version":"1.2.3"}"#
        );
        assert_eq!(template.key(0), Some(&b"acme:BTC/USD"[..]));
        assert_eq!(template.key(1), None);
    }

    #[test]
    fn whatever_an_id_holds_the_record_stays_json() {
        let template = RecordTemplate::new(&origin());
        let mut line = Vec::new();
        template.write(&trade(TradeId::Text("a\"\\\n\u{1}é".into()), r#"{"k":"v"}"#), 5, &mut line);
        let value: serde_json::Value = serde_json::from_slice(&line).unwrap_or_default();
        assert_eq!((&value["trade_id"], &value["vendor"]["k"]), (&"a\"\\\n\u{1}é".into(), &"v".into()));
    }
}
