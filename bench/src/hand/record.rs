//! The record of a trade: the one that Tapedeck writes, or a lean one.

use clap::ValueEnum;

use super::trade::{Market, Trade};

/// Which record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Layout {
    /// Every field of docs/records.md.
    Full,
    /// What a trade is and nothing about how it came here.
    Lean,
}

impl Layout {
    /// The name that the command line knows it by.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Full => "full",
            Self::Lean => "lean",
        }
    }

    /// Writes the record's value over whatever `line` held. `received_at_us` is the time of the frame.
    pub fn write(self, trade: &Trade<'_>, market: &Market, received_at_us: i64, line: &mut Vec<u8>) {
        let Market { exchange, canonical_symbol, .. } = market;
        let mut integer = itoa::Buffer::new();
        let side = match (self, trade.sell) {
            (Self::Full, true) => "SELL",
            (Self::Full, false) => "BUY",
            (Self::Lean, true) => "sell",
            (Self::Lean, false) => "buy",
        };
        line.clear();
        let mut put = |text: &str| line.extend_from_slice(text.as_bytes());
        put(if self == Self::Full { r#"{"schema":1,"exchange":""# } else { r#"{"exchange":""# });
        put(exchange);
        put(r#"","symbol":""#);
        put(trade.symbol);
        put(r#"","canonical_symbol":""#);
        put(canonical_symbol);
        if self == Self::Full {
            put(r#"","market_kind":"spot"#);
        }
        put(r#"","trade_id":""#);
        put(integer.format(trade.id));
        if self == Self::Full {
            put(r#"","order":"#);
            put(integer.format(trade.id));
            put(r#","count":1,"price":""#);
        } else {
            put(r#"","price":""#);
        }
        put(trade.price);
        put(r#"","quantity":""#);
        put(trade.quantity);
        put(r#"","side":""#);
        put(side);
        put(r#"","timestamp_us":"#);
        put(integer.format(trade.timestamp_us));
        if self == Self::Full {
            put(r#","received_at_us":"#);
            put(integer.format(received_at_us));
            put(r#","source":"live","vendor":{},"plugin":""#);
            put(exchange);
            put(r#"","plugin_version":""#);
            put(VERSION);
            put(r#"""#);
        }
        put("}");
    }
}

/// As long as that of Tapedeck's plugins.
const VERSION: &str = env!("CARGO_PKG_VERSION");

#[cfg(test)]
mod tests {

    use super::*;
    use crate::hand::trade::Markets;

    fn written(layout: Layout) -> String {
        let markets = Markets::new("binance", &[("ETHUSDT", "ETH/USDT")]);
        let trade = Trade {
            symbol: "ETHUSDT",
            id: 123,
            price: "2683.80000000",
            quantity: "0.002",
            sell: true,
            timestamp_us: 1_723_161_255_611_000,
        };
        let mut line = b"left over".to_vec();
        layout.write(&trade, markets.get("ETHUSDT").unwrap(), 5, &mut line);
        String::from_utf8(line).unwrap()
    }

    #[test]
    fn the_full_record_is_the_one_that_tapedeck_writes() {
        use tapedeck::sink::record::RecordTemplate;
        use tapedeck::trade::{Decimal, Instrument, MarketKind, Origin, Side, Source, Trade, TradeId};
        let template = RecordTemplate::new(&Origin {
            exchange: "binance".to_owned(),
            kind: MarketKind::Spot,
            plugin: "binance".to_owned(),
            plugin_version: VERSION.to_owned(),
            instruments: vec![Instrument { canonical_symbol: "ETH/USDT".to_owned(), symbol: "ETHUSDT".to_owned() }],
        });
        let trade = Trade {
            frame: 0,
            market: 0,
            id: TradeId::Number(123),
            order: 123,
            count: 1,
            price: Decimal { unscaled: 268_380_000_000, scale: 8 },
            quantity: Decimal { unscaled: 2, scale: 3 },
            side: Side::Sell,
            timestamp_us: 1_723_161_255_611_000,
            source: Source::Live,
            vendor: String::new(),
        };
        let mut line = Vec::new();
        template.write(&trade, 5, &mut line);
        assert_eq!(written(Layout::Full), String::from_utf8(line).unwrap());
    }

    #[test]
    fn the_lean_record_is_json() {
        let value: serde_json::Value = serde_json::from_str(&written(Layout::Lean)).unwrap();
        assert_eq!((&value["trade_id"], &value["side"]), (&"123".into(), &"sell".into()));
    }
}
