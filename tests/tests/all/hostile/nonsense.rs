//! A plugin whose answers have the right types and make no sense.

use tapedeck::plugin::{BackfillFailure, Gap, HttpRequest, HttpResponse, RefusalKind, SessionEvent};
use tapedeck::sink::record::RecordTemplate;
use tapedeck::trade::{Instrument, MarketKind, Origin};

use super::{decode, ids, open, trade};

/// Each marker, and what is said of its frame; nothing for an answer that is odd and possible.
const MARKERS: [(&str, Option<&str>); 26] = [
    ("MARKET", Some("a trade of market 4000000000, and there are 2 (0 to 1)")),
    ("FRAME", None),
    ("BACKWARDS", None),
    ("SCALE", Some("price with 255 digits")),
    ("DIGITS", None),
    ("NEGATIVE", None),
    ("ZERO", None),
    ("COUNT", Some("stands for 0 fills")),
    ("PAST", Some("not within the years 1970 to 2299")),
    ("FUTURE", Some("not within the years 1970 to 2299")),
    ("NO_ID", Some("empty id")),
    ("LONG_ID", Some("id of 1048576 bytes")),
    ("CONTROL_ID", Some("control characters: 1\\u{0}\\u{a}\\u{202e}2")),
    ("BIDI_ID", Some("control characters: 1\\u{202e}2")),
    ("C1_VENDOR", Some("not one line of a JSON object: {\"a\":\"\\u{9b}31m")),
    ("VENDOR", Some("vendor fields of 4194312 bytes")),
    ("NOT_JSON", Some("not one line of a JSON object")),
    ("FLOOD,1000", Some("more trades of frame 1 than")),
    ("SUBSCRIBED,BEYOND", Some("an event of market 4000000000")),
    ("EVENT", None),
    ("REJECTED", Some("an event of market 4000000000")),
    ("SEND", Some("send 4194304 bytes")),
    ("EVENTS,1000", Some("1000 events for 1 frames")),
    ("RECONNECT", None),
    ("REFUSAL", Some("no such frame")),
    ("REASON", Some("because \\u{7}because")),
];

#[test]
fn nonsense_costs_only_its_frame() {
    let mut instance = open("nonsense");
    for (marker, said) in MARKERS {
        let decoded = decode(&mut instance, &[trade(2), marker.as_bytes().to_vec(), trade(3)]);
        assert_eq!(decoded.broken, None, "{marker}");
        let good: Vec<String> = ids(&decoded).into_iter().filter(|id| id != "1").collect();
        assert_eq!(good, ["2", "3"], "{marker}: {:?}", decoded.refused);
        let refused: Vec<_> = decoded.refused.iter().map(|refused| (refused.frame, refused.kind)).collect();
        match said {
            None => assert_eq!(refused, [], "{marker}: {:?}", decoded.refused),
            Some(part) => {
                assert_eq!(refused, [(1, RefusalKind::Refused)], "{marker}: {:?}", decoded.refused);
                assert!(decoded.refused[0].reason.contains(part), "{marker}: {:?}", decoded.refused);
            }
        }
    }
}

#[test]
fn quotes_and_sql_are_data() {
    let mut instance = open("nonsense");
    let decoded = decode(&mut instance, &["SQL_ID"]);
    assert_eq!(ids(&decoded), ["1'); DROP TABLE silver_trades; --"]);
    let plan = super::plugin("open-lies").open(super::request(&[("lie", "sql_symbol")])).unwrap().1;
    // As it goes to Kafka, and from there to ClickHouse: one line of JSON, which no statement is made of.
    let instrument = |symbol: &String| Instrument { canonical_symbol: "BTC/USDT".to_owned(), symbol: symbol.clone() };
    let template = RecordTemplate::new(&Origin {
        exchange: "nonsense".to_owned(),
        kind: MarketKind::Spot,
        plugin: "nonsense".to_owned(),
        plugin_version: "0.1.0".to_owned(),
        instruments: plan.symbols.iter().map(instrument).collect(),
    });
    let mut line = Vec::new();
    template.write(&decoded.trades[0], 1, &mut line);
    let record: serde_json::Value = serde_json::from_slice(&line).unwrap();
    assert_eq!(record["trade_id"], "1'); DROP TABLE silver_trades; --");
    assert_eq!(record["symbol"], "'); DROP TABLE silver_trades; --0");
    assert_eq!(record["vendor"]["note"], "\"`'); DROP TABLE x; --\u{1b}[2J");
    assert!(!line.iter().any(u8::is_ascii_control), "{}", line.escape_ascii());
}

#[test]
fn all_nonsense_at_once_still_costs_only_its_frames() {
    let mut instance = open("nonsense");
    let mut frames = Vec::new();
    // Alone it has no frame before it, and is just a line that the plugin refuses.
    let markers = MARKERS.iter().filter(|(marker, _)| *marker != "BACKWARDS");
    for (id, (marker, _)) in (10..).zip(markers) {
        frames.extend([trade(id), marker.as_bytes().to_vec()]);
    }
    let decoded = decode(&mut instance, &frames);
    let good: Vec<String> = ids(&decoded).into_iter().filter(|id| id != "1").collect();
    assert_eq!(good, (10..9 + MARKERS.len() as u64).map(|id| id.to_string()).collect::<Vec<_>>());
    let named = MARKERS.iter().filter(|(_, said)| said.is_some()).count();
    assert_eq!(decoded.refused.len(), named, "{:?}", decoded.refused);
}

#[test]
fn a_flood_of_trades_is_stopped_before_it_fills_the_host() {
    let mut instance = open("nonsense");
    // Within the plugin's memory, and beyond it.
    for (count, kinds) in
        [("100000", &[RefusalKind::Refused][..]), ("5000000", &[RefusalKind::Limit, RefusalKind::Trap])]
    {
        let decoded = decode(&mut instance, &[trade(2), format!("FLOOD,{count}").into_bytes(), trade(3)]);
        assert_eq!(ids(&decoded), ["2", "3"]);
        assert_eq!((decoded.refused.len(), decoded.refused[0].frame), (1, 1));
        assert!(kinds.contains(&decoded.refused[0].kind), "{:?}", decoded.refused);
    }
}

#[test]
fn reasons_that_reach_the_log_are_bounded_and_escaped() {
    let mut instance = open("nonsense");
    let decoded = decode(&mut instance, &["RECONNECT"]);
    let SessionEvent::Reconnect(reason) = &decoded.events[0].what else { panic!("{:?}", decoded.events) };
    assert!(reason.len() <= 1024 && reason.starts_with("no reason\\u{d}\\u{a}"), "{reason}");
}

#[test]
fn a_backfill_leads_nowhere_but_to_the_exchange() {
    let mut instance = open("nonsense");
    let gap = Gap { market: 1, start_us: 0, end_us: 1, after: None, before: None };
    let failure = instance.backfill(&gap).unwrap_err();
    let BackfillFailure::Answer { reason, .. } = &failure else { panic!("{failure:?}") };
    assert!(reason.contains("file:///etc/passwd"), "{reason}");

    let response = HttpResponse { status: 200, headers: Vec::new(), body: b"[1]".to_vec() };
    let mut page_after = |url: &str| {
        let request = HttpRequest { url: url.to_owned(), headers: Vec::new(), weight: 1 };
        instance.decode_backfill(&gap, &request, &response)
    };
    let page = page_after("https://hostile.invalid/trades").unwrap();
    assert_eq!((page.trades.len(), page.trades[0].market, page.refused.len()), (1, 1, 1));
    assert_eq!(page.trades[0].source, tapedeck::trade::Source::Backfill);
    assert_eq!(page.next.unwrap().url, "https://hostile.invalid/trades");
    let failure = page_after("https://elsewhere.invalid/trades").unwrap_err();
    assert!(matches!(failure, BackfillFailure::Answer { .. }), "{failure:?}");
}
