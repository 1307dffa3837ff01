//! Tests of what is believed of an answer, and what is not.

use super::*;
use crate::trade::Side;

fn sound() -> types::Trade {
    let decimal = |low| types::Decimal { high: 0, low, scale: 2 };
    types::Trade {
        frame: 0,
        market: 0,
        id: types::TradeIdResult::Number(7),
        order: 7,
        count: 1,
        price: decimal(123_456),
        quantity: decimal(50),
        side: types::Side::Sell,
        timestamp: 1_723_161_255_611_000,
        source: types::Source::Live,
        vendor: String::new(),
    }
}

fn event(frame: u32, what: types::SessionEvent) -> types::Event {
    types::Event { frame, what }
}

/// Takes an answer about frames of 100 bytes each, of a session of two markets.
fn take_of(frames: u32, answer: types::Decoded) -> Result<Decoded, String> {
    let mut out = Decoded::new();
    let question = Question { frame_bytes: &|_| 100, frames, markets: 2, offset: 0 };
    take(answer.into(), &question, &mut out).map(|()| out)
}

fn trades(trades: Vec<types::Trade>) -> types::Decoded {
    types::Decoded { trades, events: Vec::new(), refusals: Vec::new() }
}

#[test]
fn a_sound_trade_is_taken_over() {
    let taken = take_of(1, trades(vec![types::Trade { vendor: "{\"x\":[1,{}]}".into(), ..sound() }])).unwrap();
    let [trade] = &taken.trades[..] else { panic!("{taken:?}") };
    assert_eq!((trade.price.to_string(), trade.quantity.to_string()), ("1234.56".to_owned(), "0.50".to_owned()));
    assert_eq!((&trade.id, trade.order, trade.side), (&TradeId::Number(7), 7, Side::Sell));
    assert_eq!((trade.timestamp_us, trade.source), (1_723_161_255_611_000, Source::Live));
    assert_eq!(trade.vendor, "{\"x\":[1,{}]}");
    assert!(taken.refused.is_empty());
}

#[test]
fn a_trade_that_makes_no_sense_refuses_its_frame_and_leaves_its_neighbours() {
    type Spoil = fn(&mut types::Trade);
    let cases: [(Spoil, &str); 13] = [
        (|trade| trade.market = 2, "market 2, and there are 2 (0 to 1)"),
        (|trade| trade.count = 0, "0 fills"),
        (|trade| trade.timestamp = 0, "the time 0"),
        (|trade| trade.timestamp = i64::MAX, "1970 to 2299"),
        (|trade| trade.price.scale = 39, "price with 39 digits"),
        (|trade| trade.quantity.scale = 255, "quantity with 255 digits"),
        (|trade| trade.id = types::TradeIdResult::Text(String::new()), "empty id"),
        (|trade| trade.id = types::TradeIdResult::Text("x".repeat(129)), "id of 129 bytes"),
        (|trade| trade.id = types::TradeIdResult::Text("a\nb".into()), "control characters: a\\u{a}b"),
        (|trade| trade.vendor = "[1]".into(), "JSON object: [1]"),
        (|trade| trade.vendor = "{\"a\":1}\n{}".into(), "not one line"),
        (|trade| trade.vendor = format!("{{\"a\":\"{}\"}}", "x".repeat(1024)), "vendor fields of 1032 bytes"),
        (|trade| trade.source = types::Source::Backfill, "`backfill`"),
    ];
    for (spoil, part) in cases {
        let mut spoiled = types::Trade { frame: 1, ..sound() };
        spoil(&mut spoiled);
        let taken = take_of(3, trades(vec![sound(), spoiled, types::Trade { frame: 2, ..sound() }])).unwrap();
        assert_eq!(taken.trades.iter().map(|trade| trade.frame).collect::<Vec<_>>(), [0, 2], "{part}");
        let [refused] = &taken.refused[..] else { panic!("{part}: {taken:?}") };
        assert_eq!((refused.frame, refused.kind), (1, RefusalKind::Refused));
        assert!(refused.reason.contains(part), "no {part:?} in {}", refused.reason);
    }
}

#[test]
fn what_no_frame_can_be_blamed_for_is_an_error() {
    let beyond = types::Trade { frame: 3, ..sound() };
    let refusal = types::Refusal { frame: 9, reason: "x".into() };
    for (answer, part) in [
        (trades(vec![beyond]), "a trade of frame 3, and there are 3"),
        (trades(vec![sound(); 101]), "more trades of frame 0"),
        (
            types::Decoded { events: vec![event(3, types::SessionEvent::Heartbeat)], ..trades(vec![]) },
            "an event of frame 3",
        ),
        (
            types::Decoded { events: vec![event(0, types::SessionEvent::Heartbeat); 199], ..trades(vec![]) },
            "199 events",
        ),
        (types::Decoded { refusals: vec![refusal], ..trades(vec![]) }, "a refusal of frame 9"),
    ] {
        let reason = take_of(3, answer).unwrap_err();
        assert!(reason.contains(part), "no {part:?} in {reason}");
    }
    // With a single frame all of it is about that one.
    let taken = take_of(1, trades(vec![types::Trade { frame: 3, ..sound() }])).unwrap();
    assert_eq!(taken.trades[0].frame, 0);
}

#[test]
fn trades_and_events_come_in_the_order_of_their_frames() {
    let of = |frame, id| types::Trade { frame, id: types::TradeIdResult::Number(id), ..sound() };
    let answer = types::Decoded {
        events: vec![event(2, types::SessionEvent::Subscribed(1)), event(0, types::SessionEvent::Send("pong".into()))],
        ..trades(vec![of(2, 1), of(0, 2), of(2, 3), of(0, 4)])
    };
    let taken = take_of(3, answer).unwrap();
    let order: Vec<_> = taken.trades.iter().map(|trade| (trade.frame, trade.id.to_string())).collect();
    assert_eq!(order, [(0, "2".into()), (0, "4".into()), (2, "1".into()), (2, "3".into())]);
    assert_eq!(taken.events[0].what, SessionEvent::Send("pong".into()));
    assert_eq!(taken.events[1].what, SessionEvent::Subscribed(1));
}

#[test]
fn events_that_make_no_sense_refuse_their_frame() {
    let rejection = types::Rejection { market: Some(2), reason: "no".into() };
    for (what, part) in [
        (types::SessionEvent::Subscribed(2), "an event of market 2"),
        (types::SessionEvent::Rejected(rejection), "an event of market 2"),
        (types::SessionEvent::Send("x".repeat(MAX_MESSAGE + 1)), "wants to send 262145 bytes"),
    ] {
        let taken = take_of(2, types::Decoded { events: vec![event(1, what)], ..trades(vec![]) }).unwrap();
        assert!(taken.events.is_empty());
        assert!(taken.refused[0].frame == 1 && taken.refused[0].reason.contains(part), "{taken:?}");
    }
}
