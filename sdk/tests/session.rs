//! A plugin's life as the host sees it: open, decode, refuse, open again.

#![allow(clippy::unwrap_used, reason = "helpers of tests panic as tests do")]

use std::cell::Cell;

use tapedeck_sdk::testing::{self, Opening, batch};
use tapedeck_sdk::{
    AppPing, Batch, Decimal, Description, Frame, Gap, Heartbeat, HttpRequest, HttpResponse, Limits, MarketKind,
    Markets, OpenError, OpenRequest, Output, Plugin, Precision, Rate, Reason, Session, SessionEvent, SessionPlan, Side,
    Source, Trade, TradeId, TradeIds,
};

/// Frames are words: `trade`, `good then bad`, `all or nothing`, `twice`, `ping`, `count`.
struct Words {
    frames: Cell<u64>,
    markets: Markets,
}

impl Plugin for Words {
    fn describe() -> Description {
        let rate = Rate { count: 1, window: 1_000 };
        Description {
            name: "words".to_owned(),
            version: "1.2.3".to_owned(),
            exchange: "words".to_owned(),
            kind: MarketKind::Spot,
            ids: TradeIds::Opaque,
            precision: Precision::Seconds,
            limits: Limits { subscriptions: 10, connects: rate, messages: rate, lifetime: None, rest: None },
            hosts: Vec::new(),
            options: Vec::new(),
        }
    }

    fn open(request: &OpenRequest) -> Result<(Self, SessionPlan), OpenError> {
        let markets = Markets::new(&request.markets, |pair| match pair.base {
            "DOGE" => Err("DOGE is not traded here".into()),
            base => Ok(format!("{base}-{}", pair.quote).to_lowercase()),
        })?;
        let mut symbols = markets.symbols().to_vec();
        if request.endpoint.is_some() {
            symbols.pop();
        }
        let ping = Some(AppPing { interval: 1, message: "ping".to_owned() });
        let plan = SessionPlan {
            url: "wss://words.test".to_owned(),
            symbols,
            messages: Vec::new(),
            heartbeat: Heartbeat { idle: 1_000, ping },
        };
        Ok((Self { frames: Cell::new(0), markets }, plan))
    }

    fn decode_frame(&mut self, frame: Frame<'_>, out: &mut Output) -> Result<(), Reason> {
        self.frames.set(self.frames.get() + 1);
        let word = std::str::from_utf8(frame.bytes).map_err(|_| "not a word")?;
        let market = self.markets.find(b"btc-usd").ok_or("no market")?;
        let (price, quantity) = (Decimal::parse("1.50")?, Decimal::parse("2")?);
        let trade =
            || Trade::new(market, TradeId::Text(word.to_owned()), price, quantity, Side::Buy, frame.received_at);
        match word {
            "trade" => out.trade(trade()),
            "good then bad" => {
                out.trade(trade());
                out.heartbeat();
                return Err(format!("{word} at {}", frame.index).into());
            }
            "all or nothing" => {
                out.trade(trade());
                out.heartbeat();
                out.discard();
                return Err("nothing".into());
            }
            "twice" => {
                out.refuse("first");
                out.trade(trade());
                return Err("second".into());
            }
            "ping" => {
                out.send("pong");
                out.subscribed(market);
                out.rejected(None, "no");
                out.reconnect("tired");
            }
            "count" => out.trade(Trade { order: self.frames.get(), source: Source::Snapshot, ..trade() }),
            _ => return Err("an unknown word".into()),
        }
        Ok(())
    }
}

// Natively this makes nothing, so that several plugins fit into one test.
tapedeck_sdk::register!(Words);

fn gap() -> Gap {
    Gap { market: 0, start: 0, end: 1, after: None, before: None }
}

#[test]
fn before_open_everything_but_describe_is_an_error() {
    let mut session = Session::<Words>::new();
    assert_eq!(Session::<Words>::describe().version, "1.2.3");
    let request = HttpRequest::get("http://words.test", &[], 1);
    let response = HttpResponse { status: 200, headers: Vec::new(), body: Vec::new() };
    for error in [
        session.decode(&batch(&["trade"])).unwrap_err(),
        session.backfill(&gap()).unwrap_err(),
        session.decode_backfill(&gap(), &request, &response).unwrap_err(),
    ] {
        assert!(error.contains("`open` comes first"), "{error}");
    }
}

#[test]
fn an_instance_without_backfill_says_so() {
    let mut session = testing::open::<Words>(&["BTC/USD"]).session;
    assert!(session.backfill(&gap()).unwrap_err().contains("no backfill"));
}

#[test]
fn each_piece_has_the_index_of_its_frame() {
    let mut session = testing::open::<Words>(&["ETH/USD", "BTC/USD"]);
    let decoded = session.decode(&["?", "trade", "ping", "", "trade"]);
    let trades: Vec<(u32, u32)> = decoded.trades.iter().map(|trade| (trade.frame, trade.market)).collect();
    assert_eq!(trades, [(1, 1), (4, 1)]);
    assert_eq!((decoded.trades[0].count, decoded.trades[0].order), (1, 0));
    let refused: Vec<(u32, &str)> =
        decoded.refusals.iter().map(|refusal| (refusal.frame, refusal.reason.as_str())).collect();
    assert_eq!(refused, [(0, "an unknown word"), (3, "an unknown word")]);
    assert!(decoded.events.iter().all(|event| event.frame == 2));
    let [first, second, third, last] = &decoded.events[..] else { panic!("{:?}", decoded.events) };
    assert!(matches!(&first.what, SessionEvent::Send(text) if text == "pong"));
    assert!(matches!(second.what, SessionEvent::Subscribed(1)));
    assert!(matches!(&third.what, SessionEvent::Rejected(rejection) if rejection.market.is_none()));
    assert!(matches!(&last.what, SessionEvent::Reconnect(why) if why == "tired"));
}

#[test]
fn what_a_refused_frame_gave_before_is_kept_unless_discarded() {
    let mut session = testing::open::<Words>(&["BTC/USD"]);
    let decoded = session.decode(&["trade", "good then bad", "all or nothing", "twice"]);
    let trades: Vec<u32> = decoded.trades.iter().map(|trade| trade.frame).collect();
    assert_eq!(trades, [0, 1, 3]);
    assert_eq!(decoded.events.len(), 1);
    let refused: Vec<(u32, &str)> =
        decoded.refusals.iter().map(|refusal| (refusal.frame, refusal.reason.as_str())).collect();
    assert_eq!(refused, [(1, "good then bad at 1"), (2, "nothing"), (3, "first")]);
}

#[test]
fn open_replaces_the_state_and_a_failed_open_removes_it() {
    let mut session = testing::open::<Words>(&["BTC/USD"]);
    let order = |session: &mut testing::Opened<Words>| session.decode(&["count"]).trades[0].order;
    assert_eq!((order(&mut session), order(&mut session)), (1, 2));
    let request = |name: &str| OpenRequest {
        markets: vec![tapedeck_sdk::Market { name: name.to_owned(), symbol: None }],
        endpoint: None,
        rest_endpoint: None,
        settings: Vec::new(),
    };
    session.session.open(&request("BTC/USD")).unwrap();
    assert_eq!(order(&mut session), 1);
    assert_eq!(session.session.open(&request("DOGE/USD")).unwrap_err().reason, "DOGE is not traded here");
    assert!(session.session.decode(&batch(&["count"])).is_err());
}

#[test]
fn a_plan_must_spell_each_market() {
    let error = Opening::new(&["BTC/USD"]).endpoint("ws://short").open::<Words>().err().unwrap();
    assert!(error.reason.contains("0 symbols for 1 markets"), "{}", error.reason);
}

#[test]
fn damaged_batches_are_refused() {
    let mut session = testing::open::<Words>(&["BTC/USD"]).session;
    for ends in [vec![5, 3], vec![4], vec![6], vec![], vec![u32::MAX, 5]] {
        let damaged = Batch { bytes: b"trade".to_vec(), ends, received_at: 0 };
        assert!(session.decode(&damaged).unwrap_err().contains("the batch is damaged"));
    }
    let empty = Batch { bytes: Vec::new(), ends: Vec::new(), received_at: 0 };
    assert!(session.decode(&empty).unwrap().trades.is_empty());
}

#[test]
fn trades_are_shown_as_lines() {
    let mut session = testing::open::<Words>(&["BTC/USD"]);
    assert_eq!(session.trades("trade"), ["btc-usd buy 2 at 1.50, 1700000000000000, id trade"]);
    assert_eq!(session.refusal(b"\xff"), "not a word");
    assert_eq!(session.events("ping").len(), 4);
}
