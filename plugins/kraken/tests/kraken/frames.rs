//! Frames: trades, answers, and what is refused.

use tapedeck_plugin_kraken::Kraken;
use tapedeck_sdk::testing::{self, Opened};
use tapedeck_sdk::{Rejection, SessionEvent, Source, TradeId};

fn session() -> Opened<Kraken> {
    testing::open(&["BTC/USD", "ETH/EUR"])
}

fn row(id: u64, change: (&str, &str)) -> String {
    let row = format!(
        r#"{{"symbol":"BTC/USD","side":"buy","price":97512.50,"qty":0.5,"ord_type":"market","trade_id":{id},"timestamp":"2026-02-03T09:15:27.118200Z"}}"#
    );
    assert!(change.0.is_empty() || row.contains(change.0));
    row.replace(change.0, change.1)
}

fn frame(rows: &[String]) -> String {
    format!(r#"{{"channel":"trade","type":"update","data":[{}]}}"#, rows.join(","))
}

const TRADE: &str = "BTC/USD buy 0.5 at 97512.50, 1770110127118200, id";

#[test]
fn a_trade_in_full() {
    let mut session = session();
    let snapshot = frame(&[row(7, ("BTC/USD", "ETH/EUR"))]).replace("update", "snapshot");
    let decoded = session.decode(&[r#"{"channel":"heartbeat"}"#, &frame(&[row(6, ("", ""))]), &snapshot]);
    assert!(decoded.refusals.is_empty());
    let [live, snapshot] = decoded.trades.as_slice() else { panic!("{:?}", decoded.trades) };
    assert_eq!((live.frame, live.market, live.source, live.order, live.count), (1, 0, Source::Live, 6, 1));
    assert_eq!((snapshot.frame, snapshot.market, snapshot.source), (2, 1, Source::Snapshot));
    assert!(matches!(live.id, TradeId::Number(6)));
    assert_eq!(live.vendor, r#"{"ord_type":"market"}"#);
    assert_eq!(decoded.events.len(), 1);
}

/// Usual frames are read at once, all others key by key, as one with a blank behind it is: it makes no difference.
#[test]
fn both_ways_of_reading_agree_whatever_byte_is_another() {
    let whole = frame(&[row(7, ("", "")), row(8, ("BTC/USD", "ETH/EUR"))]);
    let count = session().agrees_with_a_blank_behind(&whole);
    assert!(count > 1000, "only {count} trades");
}

#[test]
fn a_bad_row_costs_no_good_one_and_keeps_the_frame() {
    let mut session = session();
    let bad = [
        (("buy", "short"), "the side is \"short\", neither buy nor sell"),
        (("BTC/USD", "XRP/USD"), "\"XRP/USD\" is no market of this session"),
        (("\"trade_id\":2,", ""), "it has no `trade_id`"),
        (("\"symbol\":\"BTC/USD\",", ""), "it has no `symbol`"),
        (("97512.50", "true"), "a string or a number was expected"),
        (("97512.50", "1234567890123456789012345678901234567890"), "at most 38 digits"),
        (("2026-02-03T", "2026-02-30T"), "is not a time as RFC 3339 writes it"),
        (("\"trade_id\":2", "\"trade_id\":-2"), "a whole number within 64 bits was expected"),
        (("\"trade_id\":2", "\"trade_id\":[2]"), "a number was expected"),
    ];
    for (change, says) in bad {
        let decoded = session.decode(&[frame(&[row(1, ("", "")), row(2, change), row(3, ("", ""))])]);
        let trades: Vec<String> = session.shown(&decoded).iter().map(ToString::to_string).collect();
        assert_eq!(trades, [format!("{TRADE} 1"), format!("{TRADE} 3")]);
        let [refusal] = decoded.refusals.as_slice() else { panic!("{:?}", decoded.refusals) };
        assert!(refusal.reason.starts_with("trade 1: ") && refusal.reason.contains(says), "{}", refusal.reason);
    }
    let two = frame(&[row(1, ("buy", "?")), row(2, ("", "")), "7".to_owned()]);
    let decoded = session.decode(&[two]);
    assert_eq!(decoded.refusals[0].reason, "trade 0: the side is \"?\", neither buy nor sell (2 of 3 trades are bad)");
}

#[test]
fn a_damaged_frame_gives_nothing() {
    let mut session = session();
    let good = frame(&[row(1, ("", "")), row(2, ("", ""))]);
    assert_eq!(session.trades(&good).len(), 2);
    for end in 0..good.len() {
        assert!(!session.refusal(&good[..end]).is_empty());
    }
    for damaged in [
        good.replace("}]}", "}]}}"),
        good.replace("\"trade_id\":2", "\"trade_id\":02"),
        good.replace("\"channel\":\"trade\",", "\"channel\":\"trade\",\"channel\":\"book\","),
        good.replace("]}", "],\"data\":[]}"),
        good.replace("]}", "],\"channel\":7}"),
    ] {
        assert!(!session.refusal(damaged).is_empty());
    }
    assert!(session.refusal(b"\xff\xfe{}").contains("not JSON") || session.refusal(b"\xff\xfe{}").contains("expected"));
    assert!(session.refusal("[".repeat(100_000)).contains("WebSocket v1"));
    assert!(
        session
            .refusal(format!(r#"{{"channel":"trade","type":"update","data":{}"#, "[".repeat(100_000)))
            .contains("127")
    );
}

#[test]
fn answers() {
    let mut session = session();
    let accepted = r#"{"method":"subscribe","req_id":1,"result":{"channel":"trade","snapshot":true,"symbol":"ETH/EUR","warnings":["soon"]},"success":true}"#;
    assert!(matches!(session.events(accepted)[..], [SessionEvent::Subscribed(1)]));
    let rejection = |market, reason: &str| [SessionEvent::Rejected(Rejection { market, reason: reason.to_owned() })];
    for (answer, expected) in [
        (
            r#"{"error":"Currency pair not supported ETH/EUR","method":"subscribe","req_id":1,"success":false,"symbol":"ETH/EUR"}"#,
            rejection(Some(1), "Currency pair not supported ETH/EUR"),
        ),
        (
            r#"{"error":"Currency pair not supported XBT/USD","method":"subscribe","success":false,"symbol":"XBT/USD"}"#,
            rejection(None, "Currency pair not supported XBT/USD (for \"XBT/USD\")"),
        ),
        (r#"{"error":"Malformed request","method":"error","success":false}"#, rejection(None, "Malformed request")),
        (r#"{"method":"subscribe","success":false,"symbol":"BTC/USD"}"#, rejection(Some(0), "Kraken gives no reason")),
    ] {
        assert_eq!(session.events(answer), expected);
    }
    for alive in [
        r#"{"channel":"heartbeat"}"#,
        r#"{"method":"pong","req_id":1}"#,
        r#"{"method":"pong","success":false,"error":"Exceeded rate"}"#,
    ] {
        assert!(matches!(session.events(alive)[..], [SessionEvent::Heartbeat]), "{alive}");
    }
    let ended = r#"{"method":"unsubscribe","result":{"channel":"trade","symbol":"BTC/USD"},"success":true}"#;
    assert!(matches!(&session.events(ended)[..], [SessionEvent::Reconnect(why)] if why.contains("BTC/USD")));
    for system in ["online", "maintenance", "cancel_only", "post_only"] {
        let status =
            format!(r#"{{"channel":"status","type":"update","data":[{{"system":"{system}","version":"2.0.10"}}]}}"#);
        assert!(session.events(status).is_empty());
    }
}

#[test]
fn what_was_not_asked_for_is_refused() {
    let mut session = session();
    for (frame, says) in [
        (r#"{"channel":"book","type":"update","data":[]}"#, "the channel \"book\""),
        (
            r#"{"method":"subscribe","result":{"channel":"book","symbol":"BTC/USD"},"success":true}"#,
            "the channel \"book\"",
        ),
        (r#"{"method":"subscribe","result":{"channel":"trade","symbol":"XRP/USD"},"success":true}"#, "\"XRP/USD\""),
        (r#"{"method":"add_order","success":true,"result":{}}"#, "\"add_order\""),
        (r#"{"channel":"trade","type":"replay","data":[]}"#, "\"replay\""),
        (r#"{"channel":"trade","type":"update"}"#, "without `data`"),
        (r#"{"channel":"trade","type":"update","data":{}}"#, "an array was expected"),
        (r#"{"foo":1}"#, "neither a channel nor an answer"),
        (r#"{"event":"heartbeat"}"#, "WebSocket v1"),
        (r#"[337,[["5541.20000","0.15850568","1534614057.321597","s","l",""]],"trade","BTC/USD"]"#, "WebSocket v1"),
        ("pong", "not JSON"),
        ("7", "an object was expected"),
    ] {
        let reason = session.refusal(frame);
        assert!(reason.contains(says), "{frame}: {reason}");
    }
}

#[test]
fn reasons_are_bounded() {
    let mut session = session();
    let symbol = "\\u0000<script>é".repeat(100_000);
    let reason = session.refusal(frame(&[row(1, ("BTC/USD", &symbol))]));
    assert!(reason.len() < 500, "{}", reason.len());
    let error = format!(r#"{{"method":"subscribe","success":false,"error":"{}"}}"#, "e".repeat(100_000));
    assert!(matches!(&session.events(error)[..], [SessionEvent::Rejected(rejection)] if rejection.reason.len() == 500));
}
