//! Missed trades by REST: requests, pages, and what the exchange says when it gives none.

use tapedeck_plugin_binance::Binance;
use tapedeck_sdk::testing::{Opened, Opening};
use tapedeck_sdk::{Gap, Header, HttpRequest, HttpResponse, Page, Source, TradeId};

/// 2025-08-12, in microseconds.
const START: i64 = 1_755_000_000_000_000;

fn open(options: &[(&str, &str)]) -> Opened<Binance> {
    let opening = options
        .iter()
        .fold(Opening::new(&["BTC/USDT", "SOL/USDT"]), |opening, (name, value)| opening.option(name, value));
    opening.open().unwrap()
}

fn gap(after: Option<u64>, before: Option<u64>) -> Gap {
    Gap {
        market: 1,
        start: START,
        end: START + 60_000_000,
        after: after.map(TradeId::Number),
        before: before.map(TradeId::Number),
    }
}

fn ok(body: String) -> HttpResponse {
    HttpResponse { status: 200, headers: Vec::new(), body: body.into_bytes() }
}

/// A page of trades with these ids, a millisecond apart.
fn trades(ids: std::ops::Range<u64>) -> HttpResponse {
    let rows: Vec<String> = ids
        .map(|id| {
            let time = START / 1_000 + id as i64;
            format!(r#"{{"id":{id},"price":"187.{id:08}","qty":"0.5000","quoteQty":"93.7","time":{time},"isBuyerMaker":{},"isBestMatch":true}}"#, id % 2 == 0)
        })
        .collect();
    ok(format!("[{}]", rows.join(",")))
}

/// A page of aggregated trades, each of two trades.
fn aggregates(ids: std::ops::Range<u64>) -> HttpResponse {
    let rows: Vec<String> = ids
        .map(|id| {
            let (first, last, time) = (id * 2, id * 2 + 1, START / 1_000 + id as i64);
            format!(r#"{{"a":{id},"p":"187.5","q":"2.25","f":{first},"l":{last},"T":{time},"m":true,"M":true}}"#)
        })
        .collect();
    ok(format!("[{}]", rows.join(",")))
}

fn ids(page: &Page) -> Vec<u64> {
    page.trades.iter().map(|trade| trade.order).collect()
}

fn url(request: &HttpRequest) -> &str {
    request.url.strip_prefix("https://api.binance.com/api/v3/").unwrap()
}

#[test]
fn a_gap_between_two_ids_is_asked_for_by_id_page_by_page() {
    let mut session = open(&[]).session;
    let gap = gap(Some(100), Some(1_351));
    let first = session.backfill(&gap).unwrap();
    assert_eq!(url(&first), "historicalTrades?symbol=SOLUSDT&fromId=101&limit=1000");
    assert_eq!((first.weight, first.headers.len()), (25, 0));

    let page = session.decode_backfill(&gap, &first, &trades(101..1_101)).unwrap();
    assert_eq!(ids(&page), (101..1_101).collect::<Vec<_>>());
    assert!(page.refusals.is_empty());
    assert!(page.trades.iter().all(|trade| trade.source == Source::Backfill && trade.market == 1));
    let second = page.next.unwrap();
    assert_eq!(url(&second), "historicalTrades?symbol=SOLUSDT&fromId=1101&limit=250");

    let page = session.decode_backfill(&gap, &second, &trades(1_101..1_351)).unwrap();
    assert_eq!(ids(&page), (1_101..1_351).collect::<Vec<_>>());
    assert_eq!(page.next, None);
}

#[test]
fn rows_beyond_the_gap_are_left_out() {
    let mut session = open(&[]).session;
    let gap = gap(Some(100), Some(105));
    let request = session.backfill(&gap).unwrap();
    let page = session.decode_backfill(&gap, &request, &trades(99..110)).unwrap();
    assert_eq!((ids(&page), page.next), (vec![101, 102, 103, 104], None));
}

#[test]
fn a_gap_with_an_open_end_goes_on_until_its_time_or_until_there_is_no_more() {
    let mut session = open(&[]).session;
    let mut gap = gap(Some(100), None);
    gap.end = START + 105 * 1_000;
    let request = session.backfill(&gap).unwrap();
    let page = session.decode_backfill(&gap, &request, &trades(101..104)).unwrap();
    let next = page.next.unwrap();
    assert_eq!(url(&next), "historicalTrades?symbol=SOLUSDT&fromId=104&limit=1000");
    let page = session.decode_backfill(&gap, &next, &trades(104..120)).unwrap();
    assert_eq!((ids(&page), page.next), (vec![104, 105], None));
    let page = session.decode_backfill(&gap, &next, &ok("[]".to_owned())).unwrap();
    assert_eq!((ids(&page), page.next), (vec![], None));
}

#[test]
fn without_an_id_before_it_the_first_id_is_found_by_time() {
    let mut session = open(&[]).session;
    for before in [None, Some(2_203)] {
        let gap = gap(None, before);
        let find = session.backfill(&gap).unwrap();
        assert_eq!(url(&find), "aggTrades?symbol=SOLUSDT&startTime=1755000000000&limit=1");
        assert_eq!(find.weight, 4);
        let found = session.decode_backfill(&gap, &find, &aggregates(1_100..1_101)).unwrap();
        assert!(found.trades.is_empty(), "the id of an aggregated trade is none of a trade");
        let first = found.next.unwrap();
        let limit = if before.is_some() { 3 } else { 1_000 };
        assert_eq!(url(&first), format!("historicalTrades?symbol=SOLUSDT&fromId=2200&limit={limit}"));
        let page = session.decode_backfill(&gap, &first, &trades(2_200..2_203)).unwrap();
        assert_eq!(ids(&page), [2_200, 2_201, 2_202]);
        let nothing = session.decode_backfill(&gap, &find, &ok("[]".to_owned())).unwrap();
        assert_eq!((nothing.trades.len(), nothing.next), (0, None));
    }
}

#[test]
fn trades_before_the_gaps_time_are_left_out_where_no_id_says_so() {
    let mut session = open(&[]).session;
    let mut gap = gap(None, None);
    // A start within a millisecond, as a clock gives it: the trade of that millisecond belongs to the gap.
    gap.start = START + 3 * 1_000 + 456;
    gap.end = START + 5 * 1_000;
    let request = HttpRequest {
        url: "https://api.binance.com/api/v3/historicalTrades?fromId=0".into(),
        headers: vec![],
        weight: 25,
    };
    let page = session.decode_backfill(&gap, &request, &trades(0..10)).unwrap();
    assert_eq!((ids(&page), page.next), (vec![3, 4, 5], None));
}

#[test]
fn a_gap_since_ever_starts_at_id_zero() {
    let mut gap = gap(None, Some(10));
    gap.start = 0;
    let request = open(&[]).session.backfill(&gap).unwrap();
    assert_eq!(url(&request), "historicalTrades?symbol=SOLUSDT&fromId=0&limit=10");
}

#[test]
fn aggregated_trades_are_missed_and_fetched_by_their_own_ids() {
    let mut session = open(&[("stream", "aggTrade")]).session;
    let by_id = gap(Some(50), Some(54));
    let request = session.backfill(&by_id).unwrap();
    assert_eq!((url(&request), request.weight), ("aggTrades?symbol=SOLUSDT&fromId=51&limit=3", 4));
    let page = session.decode_backfill(&by_id, &request, &aggregates(51..54)).unwrap();
    assert_eq!((ids(&page), page.next), (vec![51, 52, 53], None));
    assert_eq!(page.trades[0].vendor, r#"{"first":102,"last":103}"#);

    let by_time = gap(None, None);
    let request = session.backfill(&by_time).unwrap();
    assert_eq!(url(&request), "aggTrades?symbol=SOLUSDT&startTime=1755000000000&limit=1000");
    let page = session.decode_backfill(&by_time, &request, &aggregates(51..54)).unwrap();
    assert_eq!(ids(&page), [51, 52, 53]);
    assert_eq!(url(&page.next.unwrap()), "aggTrades?symbol=SOLUSDT&fromId=54&limit=1000");
}

#[test]
fn live_and_backfill_are_asked_for_the_same_unit_of_time() {
    let mut session = open(&[("time_unit", "microsecond"), ("service", "market_data")]).session;
    let gap = gap(Some(6), Some(8));
    let request = session.backfill(&gap).unwrap();
    assert!(request.url.starts_with("https://data-api.binance.vision/api/v3/historicalTrades?"), "{}", request.url);
    assert_eq!(request.headers, [Header { name: "X-MBX-TIME-UNIT".to_owned(), value: "MICROSECOND".to_owned() }]);
    let row = r#"[{"id":7,"price":"1.0","qty":"2.0","time":1755000000127345,"isBuyerMaker":false}]"#;
    let page = session.decode_backfill(&gap, &request, &ok(row.to_owned())).unwrap();
    assert_eq!(page.trades[0].timestamp, 1_755_000_000_127_345);
}

#[test]
fn both_shapes_are_told_apart_by_their_keys() {
    let mut session = open(&[]).session;
    let gap = gap(Some(0), None);
    let request = session.backfill(&gap).unwrap();
    let page = session.decode_backfill(&gap, &request, &aggregates(51..52)).unwrap();
    assert_eq!(ids(&page), [51]);
    assert_eq!(page.next, None, "an id of the other series leads nowhere");
}

#[test]
fn a_bad_row_is_refused_by_its_index_and_costs_no_other() {
    let mut session = open(&[]).session;
    let gap = gap(Some(6), Some(10));
    let request = session.backfill(&gap).unwrap();
    let body = r#"[{"id":7,"price":"1","qty":"2","time":1755000000001,"isBuyerMaker":true},
        {"id":8,"price":"1","qty":"2","time":1755000000001,"isBuyerMaker":"true"},
        {"id":9,"price":"1","qty":"2","time":1755000000001,"isBuyerMaker":false}, 5, {"price":"1"},
        {"a":1,"id":9,"p":"1","q":"1","T":1,"m":true}]"#;
    let page = session.decode_backfill(&gap, &request, &ok(body.to_owned())).unwrap();
    assert_eq!(ids(&page), [7, 9]);
    assert_eq!(page.refusals.iter().map(|refusal| refusal.frame).collect::<Vec<_>>(), [1, 3, 4, 5]);
}

#[test]
fn an_exchange_that_goes_round_in_circles_is_noticed() {
    let mut session = open(&[]).session;
    let gap = gap(Some(100), None);
    let request = session.backfill(&gap).unwrap();
    let error = session.decode_backfill(&gap, &request, &trades(50..60)).unwrap_err();
    assert!(error.contains("up to id 59"), "{error}");
}

#[test]
fn errors_are_sentences_that_name_the_limit() {
    let mut session = open(&[]).session;
    let gap = gap(Some(100), None);
    let request = session.backfill(&gap).unwrap();
    let wait = Header { name: "retry-after".to_owned(), value: "17".to_owned() };
    for (status, headers, body, says) in [
        (
            429,
            vec![wait.clone()],
            r#"{"code":-1003,"msg":"Too much request weight used."}"#,
            vec!["429", "request limit", "17 s", "Too much"],
        ),
        (
            418,
            vec![wait],
            r#"{"code":-1003,"msg":"banned until 1755000000000."}"#,
            vec!["418", "banned this address", "17 s"],
        ),
        (
            400,
            vec![],
            r#"{"code":-1121,"msg":"Invalid symbol."}"#,
            vec!["400", "Invalid symbol.", "no market of this spelling"],
        ),
        (401, vec![], r#"{"code":-2014,"msg":"API-key format invalid."}"#, vec!["401", "API key"]),
        (451, vec![], "", vec!["451", "location"]),
        (503, vec![], "<html>\u{1b}[2J</html>", vec!["503", "<html>"]),
        (200, vec![], r#"{"code":-1121,"msg":"Invalid symbol."}"#, vec!["no list", "Invalid symbol."]),
        (200, vec![], "[{", vec!["not JSON"]),
        (200, vec![], "", vec!["not JSON"]),
    ] {
        let response = HttpResponse { status, headers, body: body.as_bytes().to_vec() };
        let error = session.decode_backfill(&gap, &request, &response).unwrap_err();
        for words in says {
            assert!(error.contains(words), "{words:?} is not in: {error}");
        }
        assert!(!error.contains('\u{1b}') && error.len() < 500, "{error}");
    }
}

#[test]
fn gaps_that_cannot_be_are_refused() {
    let mut session = open(&[]).session;
    let text = Gap { after: Some(TradeId::Text("x1".to_owned())), ..gap(None, None) };
    for gap in [gap(Some(5), Some(6)), gap(Some(u64::MAX), None), Gap { market: 2, ..gap(Some(1), None) }, text] {
        assert!(session.backfill(&gap).is_err(), "{gap:?}");
    }
}

#[test]
fn symbols_that_are_not_ascii_are_encoded_in_urls() {
    let mut session =
        Opening::new(&["币/USDT"]).rest_endpoint("http://127.0.0.1:9/").open::<Binance>().unwrap().session;
    let request = session.backfill(&Gap { market: 0, ..gap(Some(1), Some(3)) }).unwrap();
    assert_eq!(request.url, "http://127.0.0.1:9/api/v3/historicalTrades?symbol=%E5%B8%81USDT&fromId=2&limit=1");
}
