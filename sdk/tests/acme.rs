//! The plugin of docs/writing-a-plugin.md, so that the page compiles and is true.

#![allow(missing_docs, clippy::unwrap_used, reason = "an example, documented by its page, and a test")]

use tapedeck_sdk::json::Scanner;
use tapedeck_sdk::{
    Description, Frame, Heartbeat, Limits, MarketKind, Markets, OpenError, OpenRequest, Output, Plugin, Precision,
    Rate, Reason, SessionPlan, Side, Trade, TradeId, TradeIds, excerpt, time,
};

pub struct Acme {
    markets: Markets,
}

impl Plugin for Acme {
    fn describe() -> Description {
        Description {
            name: "acme".to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            exchange: "acme".to_owned(),
            kind: MarketKind::Spot,
            ids: TradeIds::Dense,
            precision: Precision::Milliseconds,
            limits: Limits {
                subscriptions: 100,
                connects: Rate { count: 10, window: 60_000 },
                messages: Rate { count: 5, window: 1_000 },
                lifetime: None,
                rest: None,
            },
            hosts: vec!["ws.acme.example".to_owned()],
            options: Vec::new(),
        }
    }

    fn open(request: &OpenRequest) -> Result<(Self, SessionPlan), OpenError> {
        let markets = Markets::new(&request.markets, |pair| Ok(format!("{}-{}", pair.base, pair.quote)))?;
        let subscribe = |symbol: &String| format!(r#"{{"subscribe":{}}}"#, tapedeck_sdk::json::quote(symbol));
        let plan = SessionPlan {
            url: format!("{}/trades", request.endpoint_or("wss://ws.acme.example")),
            symbols: markets.symbols().to_vec(),
            messages: markets.symbols().iter().map(subscribe).collect(),
            heartbeat: Heartbeat { idle: 30_000, ping: None },
        };
        Ok((Self { markets }, plan))
    }

    fn decode_frame(&mut self, frame: Frame<'_>, out: &mut Output) -> Result<(), Reason> {
        let (mut symbol, mut id, mut price, mut size, mut at, mut side) = (None, None, None, None, None, None);
        let mut scanner = Scanner::new(frame.bytes);
        let mut object = scanner.root().object()?;
        while let Some((key, value)) = object.next()? {
            match &*key {
                "symbol" => symbol = Some(value.str()?),
                "id" => id = Some(value.u64()?),
                "price" => price = Some(value.decimal()?),
                "size" => size = Some(value.decimal()?),
                "time" => at = Some(time::from_millis(value.i64()?)?),
                "taker" => side = Some(value.str()?),
                _ => {} // What is not read is skipped, and checked all the same.
            }
        }
        scanner.finish()?;

        let symbol = symbol.ok_or("the frame has no `symbol`")?;
        let market = self.markets.find(symbol.as_bytes());
        let market = market.ok_or_else(|| format!("{} is no market of this session", excerpt(symbol.as_bytes())))?;
        let side = match side.as_deref() {
            Some("buy") => Side::Buy,
            Some("sell") => Side::Sell,
            _ => return Err("`taker` is neither buy nor sell".into()),
        };
        let id = TradeId::Number(id.ok_or("the frame has no `id`")?);
        let (price, size) = (price.ok_or("the frame has no `price`")?, size.ok_or("the frame has no `size`")?);
        out.trade(Trade::new(market, id, price, size, side, at.ok_or("the frame has no `time`")?));
        Ok(())
    }
}

tapedeck_sdk::register!(Acme);

use tapedeck_sdk::testing;

#[test]
fn a_trade() {
    let mut session = testing::open::<Acme>(&["BTC/USD"]);
    let frame = r#"{"symbol":"BTC-USD","id":17,"price":"97512.40","size":0.015,"time":1770110127004,"taker":"sell"}"#;
    assert_eq!(session.trades(frame), ["BTC-USD sell 0.015 at 97512.40, 1770110127004000, id 17"]);
    assert!(session.refusal("{").contains("not JSON"));
}

#[test]
fn fixtures_and_damage() {
    let messages = r#"
{"kind": "trade", "raw": "{\"taker\":\"buy\",\"symbol\":\"BTC-USD\",\"id\":1,\"price\":1e2,\"size\":\"2\",\"time\":3,\"x\":[]}", "expected": [{"symbol": "BTC-USD", "price": "100", "quantity": "2", "side": "buy", "timestamp_us": 3000, "trade_id": "1"}]}
{"kind": "control", "raw": "{\"subscribed\":\"BTC-USD\"}", "expected": null}
"#;
    let file = std::env::temp_dir().join(format!("tapedeck-acme-{}.jsonl", std::process::id()));
    std::fs::write(&file, messages).unwrap();
    let messages = testing::read_messages(&file);
    std::fs::remove_file(&file).unwrap();
    let report = testing::check_messages::<Acme>(testing::Opening::new(&[]), &messages);
    report.assert_passed();
    assert_eq!(report.passed, 2);

    let mut session = testing::open::<Acme>(&["BTC/USD"]);
    for end in 0..messages[0].raw.len() {
        assert!(!session.refusal(&messages[0].raw[..end]).is_empty());
    }
    let wrong =
        messages.iter().map(|message| testing::Message { raw: message.raw.replace("1e2", "1e3"), ..message.clone() });
    let report = testing::check_messages::<Acme>(testing::Opening::new(&[]), &wrong.collect::<Vec<_>>());
    assert_eq!(
        (report.passed, report.failures.as_slice()),
        (1, &["line 2: trade 0: price: expected 100, got 1000".to_owned()][..])
    );
}

/// The page's code is this file's.
#[test]
fn the_page_has_this_code() {
    let page = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/writing-a-plugin.md")).unwrap();
    let here = include_str!("acme.rs");
    for block in page
        .split("```rust\n")
        .skip(1)
        .filter_map(|block| block.split("```").next())
        .filter(|block| block.lines().count() > 5)
    {
        assert!(here.contains(block.trim()), "not in sdk/tests/acme.rs:\n{block}");
    }
}
