//! Frames with trades, and frames that must give none.

use tapedeck_plugin_binance::Binance;
use tapedeck_sdk::testing::{self, Opened, Opening};
use tapedeck_sdk::{SessionEvent, TradeId};

fn open() -> Opened<Binance> {
    testing::open(&["SOL/USDT", "LTC/BTC"])
}

const TRADE: &str = r#"{"e":"trade","E":1755000000128,"s":"SOLUSDT","t":7001,"p":"187.43000000","q":"0.50000000","T":1755000000127,"m":true,"M":true}"#;

fn without_field(event: &str, key: &str) -> String {
    let start = event.find(&format!("\"{key}\":")).unwrap();
    let length = event[start..].find([',', '}']).unwrap();
    let end = start + length;
    match event.as_bytes()[end] {
        b',' => format!("{}{}", &event[..start], &event[end + 1..]),
        _ => format!("{}{}", &event[..start - 1], &event[end..]),
    }
}

#[test]
fn a_trade_comes_raw_or_wrapped_and_in_any_order_of_keys() {
    let expected = ["SOLUSDT sell 0.50000000 at 187.43000000, 1755000000127000, id 7001"];
    let reversed = r#"{"M":true,"m":true,"T":1755000000127,"q":"0.50000000","p":"187.43000000","t":7001,"s":"SOLUSDT","E":1755000000128,"e":"trade"}"#;
    for event in [TRADE, reversed] {
        for frame in [
            event.to_owned(),
            format!(r#"{{"stream":"solusdt@trade","data":{event}}}"#),
            format!(r#"{{"data":{event},"stream":"solusdt@trade"}}"#),
            format!("{{ \"stream\" : \"solusdt@trade\",\n\t\"data\" : {event} }}\r\n"),
            format!(r#"{{"stream":"solusdt@trade","data":{event},"more":[1,{{"e":"x"}}]}}"#),
        ] {
            assert_eq!(open().trades(&frame), expected, "{frame}");
        }
    }
}

#[test]
fn the_buyer_who_waited_makes_the_taker_a_seller() {
    assert!(open().trades(TRADE)[0].contains(" sell "));
    assert!(open().trades(TRADE.replace(r#""m":true"#, r#""m":false"#))[0].contains(" buy "));
}

#[test]
fn the_side_is_a_boolean_or_the_frame_is_refused() {
    for side in [r#""yes""#, r#""true""#, "1", "0", "null", "[]", "{}"] {
        let refusal = open().refusal(TRADE.replace(r#""m":true"#, &format!(r#""m":{side}"#)));
        assert!(refusal.contains("field m"), "{side}: {refusal}");
    }
}

#[test]
fn order_ids_of_older_recordings_change_nothing() {
    let with_order_ids = TRADE.replace(r#""T":"#, r#""b":88,"a":50,"T":"#);
    assert_eq!(open().trades(with_order_ids), open().trades(TRADE));
}

#[test]
fn an_aggregated_trade_has_its_own_id_and_names_the_trades_in_it() {
    let frame = r#"{"stream":"ltcbtc@aggTrade","data":{"e":"aggTrade","E":1755000000200,"s":"LTCBTC","a":4000123,"p":"0.00104200","q":"12.75000000","f":9000501,"l":9000504,"T":1755000000199,"m":false,"M":true}}"#;
    let mut session = open();
    assert_eq!(session.trades(frame), ["LTCBTC buy 12.75000000 at 0.00104200, 1755000000199000, id 4000123"]);
    let trade = session.decode(&[frame]).trades.remove(0);
    assert_eq!((trade.order, trade.count, trade.id), (4_000_123, 1, TradeId::Number(4_000_123)));
    assert_eq!(trade.vendor, r#"{"first":9000501,"last":9000504}"#);
}

#[test]
fn microseconds_are_taken_as_asked_for() {
    let mut session = Opening::new(&["SOL/USDT"]).option("time_unit", "microsecond").open::<Binance>().unwrap();
    let frame = TRADE.replace("1755000000127", "1755000000127345").replace("1755000000128", "1755000000128001");
    assert_eq!(session.trades(&frame), ["SOLUSDT sell 0.50000000 at 187.43000000, 1755000000127345, id 7001"]);
    assert!(session.refusal(TRADE).contains("not in microseconds"));
    assert!(open().refusal(frame).contains("not in milliseconds"));
}

#[test]
fn a_trade_without_a_field_is_refused_and_the_field_named() {
    for (key, says) in
        [("s", "a symbol"), ("t", "an id"), ("p", "a price"), ("q", "a quantity"), ("T", "a time"), ("m", "a side")]
    {
        let refusal = open().refusal(without_field(TRADE, key));
        assert!(refusal.contains(says), "{key}: {refusal}");
    }
    assert_eq!(open().trades(without_field(&without_field(TRADE, "M"), "E")).len(), 1, "E and M tell nothing needed");
}

#[test]
fn fields_of_a_wrong_type_or_value_are_refused() {
    for (field, wrong, says) in [
        (r#""t":7001"#, r#""t":"7001""#, "field t"),
        (r#""t":7001"#, r#""t":-7001"#, "field t"),
        (r#""t":7001"#, r#""t":7001.5"#, "field t"),
        (r#""t":7001"#, r#""t":99999999999999999999"#, "field t"),
        (r#""p":"187.43000000""#, r#""p":"NaN""#, "field p"),
        (r#""p":"187.43000000""#, r#""p":"0.00000000""#, "above zero"),
        (r#""p":"187.43000000""#, r#""p":"-187.43""#, "above zero"),
        (r#""q":"0.50000000""#, r#""q":"""#, "field q"),
        (r#""q":"0.50000000""#, r#""q":"0""#, "above zero"),
        (r#""q":"0.50000000""#, r#""q":"1234567890123456789012345678901234567890""#, "field q"),
        (r#""T":1755000000127"#, r#""T":"1755000000127""#, "field T"),
        (r#""T":1755000000127"#, r#""T":-1"#, "not in milliseconds"),
        (r#""s":"SOLUSDT""#, r#""s":7"#, "field s"),
        (r#""s":"SOLUSDT""#, r#""s":"solusdt""#, "nobody subscribed"),
        (r#""M":true"#, r#""M":true,"X":"INSURANCE_FUND""#, "INSURANCE_FUND"),
    ] {
        assert!(TRADE.contains(field));
        let refusal = open().refusal(TRADE.replace(field, wrong));
        assert!(refusal.contains(says), "{wrong}: {refusal}");
    }
}

#[test]
fn an_unknown_symbol_is_named_bounded_and_escaped() {
    let unknown = format!("EVIL\\n\\u001b[2J{}", "X".repeat(10_000));
    let refusal = open().refusal(TRADE.replace("SOLUSDT", &unknown));
    assert!(refusal.contains("EVIL\\n") && !refusal.contains('\n') && !refusal.contains('\u{1b}'), "{refusal}");
    assert!(refusal.len() < 300, "{} bytes", refusal.len());
}

#[test]
fn digits_are_kept_exactly() {
    let frame = TRADE
        .replace("187.43000000", "12345678901234567890.123456789012345678")
        .replace("0.50000000", "0.000000000000000000000000000000000001");
    assert_eq!(
        open().trades(frame),
        ["SOLUSDT sell 0.000000000000000000000000000000000001 at 12345678901234567890.123456789012345678, \
          1755000000127000, id 7001"]
    );
}

#[test]
fn other_events_are_refused_by_their_type_and_give_no_trade() {
    for (frame, says) in [
        (TRADE.replace(r#""trade""#, r#""blockTrade""#), "block trade"),
        (TRADE.replace(r#""e":"trade""#, r#""e":"24hrMiniTicker""#), "24hrMiniTicker"),
        (TRADE.replace(r#""e":"trade","#, ""), "neither an event"),
        (TRADE.replace(r#""e":"trade""#, r#""e":"trade","e":"aggTrade""#), "comes twice"),
        (TRADE.replace(r#""e":"trade""#, r#""e":7"#), "a string was expected"),
        (r#"{"stream":"solusdt@bookTicker","data":{"u":40,"s":"SOLUSDT","b":"187.40","B":"1","a":"187.50","A":"2"}}"#.into(), "solusdt@bookTicker"),
        (r#"{"stream":"solusdt@depth","data":{"e":"depthUpdate","s":"SOLUSDT","b":[["187.40","1"]],"a":[]}}"#.into(), "depthUpdate"),
        (r#"{"stream":"solusdt@kline_1m","data":{"e":"kline","s":"SOLUSDT","k":{"t":1,"o":"1"}}}"#.into(), "kline"),
        (r#"{"stream":"solusdt@trade","data":[1,2]}"#.into(), "an object"),
        (r#"[{"e":"trade"}]"#.into(), "an object"),
        (r#""trade""#.into(), "an object"),
        ("{}".into(), "neither an event"),
    ] {
        let refusal = open().refusal(&frame);
        assert!(refusal.contains(says), "{frame}: {refusal}");
    }
}

/// Usual frames are read at once, all others key by key, as one with a blank behind it is: it makes no difference.
#[test]
fn both_ways_of_reading_agree_whatever_byte_is_another() {
    let aggregated = r#"{"e":"aggTrade","E":1755000000128,"s":"LTCBTC","a":26129,"p":"0.01633102","q":"4.70443515","f":27781,"l":27783,"T":1755000000127,"m":false,"M":true}"#;
    let wrapped =
        format!(r#"{{"stream":"solusdt@trade","data":{}}}"#, TRADE.replace(r#""T":"#, r#""b":88,"a":50,"T":"#));
    let mut opened = open();
    let count: usize =
        [TRADE, aggregated, &wrapped].into_iter().map(|whole| opened.agrees_with_a_blank_behind(whole)).sum();
    assert!(count > 1000, "only {count} trades");
}

#[test]
fn a_frame_cut_anywhere_is_refused() {
    let wrapped = format!(r#"{{"stream":"solusdt@trade","data":{TRADE}}}"#);
    for whole in [TRADE, &wrapped] {
        for end in 0..whole.len() {
            assert!(!open().refusal(&whole[..end]).is_empty(), "{}", &whole[..end]);
        }
        assert!(!open().refusal(format!("{whole}{whole}")).is_empty());
    }
}

#[test]
fn hostile_frames_are_refused() {
    let deep = "[".repeat(100_000);
    let long = format!(r#"{{"e":"trade","s":"{}"}}"#, "S".repeat(10 << 20));
    let number = TRADE.replace("7001", &"7".repeat(40));
    for frame in
        [b"\xff\xfe\x00".as_slice(), b"", deep.as_bytes(), long.as_bytes(), number.as_bytes(), b"{\"e\":\"\xff\"}"]
    {
        let refusal = open().refusal(frame);
        assert!(refusal.len() < 400, "{} bytes", refusal.len());
    }
}

#[test]
fn a_bad_frame_costs_no_other_frame_of_its_batch() {
    let decoded = open().decode(&[TRADE, "nonsense", &TRADE.replace("7001", "7002")]);
    assert_eq!(
        decoded.trades.iter().map(|trade| (trade.frame, trade.order)).collect::<Vec<_>>(),
        [(0, 7001), (2, 7002)]
    );
    assert_eq!(decoded.refusals.iter().map(|refusal| refusal.frame).collect::<Vec<_>>(), [1]);
}

#[test]
fn a_shutdown_that_is_announced_is_a_reason_to_reconnect() {
    for frame in [
        r#"{"e":"serverShutdown","E":1755000000000}"#,
        r#"{"stream":"!serverShutdown","data":{"e":"serverShutdown","E":1755000000000}}"#,
    ] {
        let events = open().events(frame);
        assert!(matches!(&events[..], [SessionEvent::Reconnect(reason)] if reason.contains("shut down")), "{events:?}");
    }
}
