//! Requests for past trades, and their answers.

use tapedeck_plugin_kraken::Kraken;
use tapedeck_sdk::testing::{Opened, Opening, Shown};
use tapedeck_sdk::{Gap, HttpResponse, Page, Source, TradeId};

const START: i64 = 1_770_110_127_000_000;

fn session() -> Opened<Kraken> {
    Opening::new(&["BTC/USD", "DOGE/EUR", "ETH/USD"])
        .option("rest_pairs", "ETH/USD=XETHZUSD, SOL/USD=SOLUSD")
        .open()
        .unwrap()
}

fn gap() -> Gap {
    Gap { market: 0, start: START, end: START + 10_000_000, after: None, before: None }
}

fn answer(session: &mut Opened<Kraken>, gap: &Gap, status: u16, body: &str) -> Result<Page, String> {
    let request = session.session.backfill(gap).unwrap();
    let response = HttpResponse { status, headers: Vec::new(), body: body.as_bytes().to_vec() };
    session.session.decode_backfill(gap, &request, &response)
}

/// A body with a trade of each id, the first at the gap's start and the others a second apart.
fn body(ids: &[u64], last: &str) -> String {
    let second = START / 1_000_000;
    let row = |(index, id): (usize, &u64)| {
        format!(r#"["97512.40000","0.01530000",{}.0000009,"s","l","",{id}]"#, second + index as i64)
    };
    let rows: Vec<String> = ids.iter().enumerate().map(row).collect();
    format!(r#"{{"error":[],"result":{{"XXBTZUSD":[{}],"last":"{last}"}}}}"#, rows.join(","))
}

fn ids(page: &Page) -> Vec<u64> {
    page.trades.iter().map(|trade| trade.order).collect()
}

#[test]
fn asks_by_time_and_pair() {
    let mut session = session();
    let mut url = |market, start| session.session.backfill(&Gap { market, start, ..gap() }).map(|request| request.url);
    let base = "https://api.kraken.com/0/public/Trades?pair=";
    assert_eq!(url(0, START).unwrap(), format!("{base}XBTUSD&since=1770110126999999999&count=1000"));
    assert_eq!(url(1, 0).unwrap(), format!("{base}XDGEUR&since=0&count=1000"));
    assert_eq!(url(2, i64::MIN).unwrap(), format!("{base}XETHZUSD&since=0&count=1000"));
    assert_eq!(url(2, i64::MAX).unwrap(), format!("{base}XETHZUSD&since={}&count=1000", i64::MAX - 1));
    assert!(url(3, 0).unwrap_err().contains("market 3"));
    let mut other =
        Opening::new(&[]).symbol("BTC/USDT", "XBTUSDT").rest_endpoint("http://127.0.0.1:9/").open::<Kraken>().unwrap();
    let request = other.session.backfill(&gap()).unwrap();
    assert_eq!(request.url, "http://127.0.0.1:9/0/public/Trades?pair=XBTUSDT&since=1770110126999999999&count=1000");
    assert_eq!(request.weight, 1);
}

#[test]
fn a_trade_in_full() {
    let mut session = session();
    let body = r#"{"error":[],"result":{"XXBTZUSD":[["97512.40000","0.01530000",1770110127.9717445,"b","m","",71230044]],"last":"1770110127971744512"}}"#;
    let page = answer(&mut session, &gap(), 200, body).unwrap();
    let trade = &page.trades[0];
    assert_eq!(
        Shown::new(trade, &session.plan.symbols).to_string(),
        "BTC/USD buy 0.01530000 at 97512.40000, 1770110127971744, id 71230044"
    );
    assert_eq!((trade.source, trade.vendor.as_str(), trade.frame), (Source::Backfill, r#"{"ord_type":"market"}"#, 0));
}

#[test]
fn pages_until_the_gap_is_covered() {
    let mut session = session();
    let last = |second: i64| format!("{}000000000", START / 1_000_000 + second);
    let more = answer(&mut session, &gap(), 200, &body(&[1, 2, 3], &last(2))).unwrap();
    // The instant of `last` is asked for again, because more of its trades may be on the next page.
    let next = more.next.unwrap().url;
    assert!(next.contains("since=1770110128999999999"), "{next}");

    let behind_the_end = answer(&mut session, &gap(), 200, &body(&[1, 2, 3], &last(11))).unwrap();
    assert!(behind_the_end.next.is_none());
    let nothing = answer(&mut session, &gap(), 200, &body(&[], &last(2))).unwrap();
    assert!(nothing.next.is_none() && nothing.trades.is_empty());
    let no_progress = answer(&mut session, &gap(), 200, &body(&[1], &last(0))).unwrap();
    assert_eq!(ids(&no_progress), [1]);
    assert!(no_progress.next.is_none());
    let no_cursor = answer(&mut session, &gap(), 200, &body(&[1, 2, 3], "0").replace(",\"last\":\"0\"", "")).unwrap();
    assert!(no_cursor.next.unwrap().url.contains("since=1770110128999999999"));
}

#[test]
fn keeps_to_the_gap_by_ids_where_it_has_them_and_by_time_elsewhere() {
    let mut session = session();
    let gap = Gap {
        after: Some(TradeId::Number(10)),
        before: Some(TradeId::Number(13)),
        start: START + 5,
        end: START + 6,
        ..gap()
    };
    let page = answer(&mut session, &gap, 200, &body(&[9, 10, 11, 12, 13, 14], "1")).unwrap();
    assert_eq!(ids(&page), [11, 12]);
    assert!(page.next.is_none());
    let gap = Gap { start: START + 1, end: START + 2_000_000, after: None, before: None, ..gap };
    let page = answer(&mut session, &gap, 200, &body(&[1, 2, 3, 4], "1")).unwrap();
    assert_eq!(ids(&page), [2, 3]);
    let page = answer(&mut session, &Gap { start: START, ..gap }, 200, &body(&[1, 2, 3, 4], "1")).unwrap();
    assert_eq!(ids(&page), [1, 2, 3]);
}

#[test]
fn a_bad_row_costs_no_other() {
    let mut session = session();
    let good = body(&[1, 2, 3, 4], "1770110130000000000");
    for (from, to, says) in [
        (",2]", "]", "too few elements"),
        ("\"\",2]", "\"\",\"TX2\"]", "a number was expected"),
        ("128.0000009,\"s\"", "128.0000009,\"x\"", "neither b nor s"),
        ("1770110128.0000009", "\"now\"", "not a decimal number"),
    ] {
        let page = answer(&mut session, &gap(), 200, &good.replace(from, to)).unwrap();
        assert_eq!(ids(&page), [1, 3, 4]);
        assert_eq!(page.refusals[0].frame, 1);
        assert!(page.refusals[0].reason.contains(says), "{}", page.refusals[0].reason);
    }
    assert!(answer(&mut session, &gap(), 200, &good[..good.len() - 20]).unwrap_err().contains("not JSON"));
}

#[test]
fn says_what_kraken_refuses() {
    let mut session = session();
    for (status, body, says) in [
        (200, r#"{"error":["EQuery:Unknown asset pair"]}"#, "Unknown asset pair"),
        (200, r#"{"error":["EAPI:Rate limit exceeded"]}"#, "rate limit is exceeded"),
        (200, r#"{"error":["EGeneral:Too many requests"],"result":{}}"#, "rate limit is exceeded"),
        (200, r#"{"error":["EService: Throttled: 1770110127"]}"#, "rate limit is exceeded"),
        (429, "", "rate limit is exceeded"),
        (502, "<html>bad gateway</html>", "status 502"),
        (500, r#"{"error":[],"result":{}}"#, "status 500"),
        (200, "<html>", "not JSON"),
        (200, "", "ends too early"),
        (200, r#"{"error":[],"result":{"status":"online","timestamp":"2026-02-03T09:15:27Z"}}"#, "no list of trades"),
        (200, r#"{"error":[],"result":{"A":[],"B":[],"last":"1"}}"#, "more than one pair"),
        (200, r#"{"error":[],"result":{"A":[],"last":"soon"}}"#, "`last` is \"soon\""),
    ] {
        let reason = answer(&mut session, &gap(), status, body).unwrap_err();
        assert!(reason.contains(says), "{body}: {reason}");
    }
    let warned = body(&[1], "1").replace("\"error\":[]", "\"error\":[\"WGeneral:soon\"]");
    assert_eq!(ids(&answer(&mut session, &gap(), 200, &warned).unwrap()), [1]);
}
