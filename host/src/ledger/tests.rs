//! The ledger, tried trade by trade.

use super::*;
use crate::trade::{Decimal, Side, Source, TradeId};

const PATIENCE: Duration = Duration::from_secs(2);

fn trade(id: u64, seconds: i64) -> Trade {
    let decimal = Decimal { unscaled: 1, scale: 0 };
    Trade {
        frame: 0,
        market: 0,
        id: TradeId::Number(id),
        order: id,
        count: 1,
        price: decimal,
        quantity: decimal,
        side: Side::Buy,
        timestamp_us: seconds * 1_000_000,
        source: Source::Live,
        vendor: String::new(),
    }
}

fn take(ledger: &Ledger, trade: &Trade) -> bool {
    let is_new = ledger.is_new(trade);
    if is_new {
        ledger.accepted(trade);
    }
    is_new
}

/// What became of gaps, and tells it.
fn states(ledger: &Ledger) -> Vec<(Option<(u64, u64)>, &'static str)> {
    let ids = |span: &Span| span.ids.as_ref().map(|ids| (*ids.start(), *ids.end()));
    let notices = ledger.take_notices();
    notices.iter().for_each(|notice| ledger.told(notice));
    notices.iter().map(|notice| (ids(&notice.span), notice.state.as_str())).collect()
}

/// Takes a trade that a connection brings.
fn bring(ledger: &Ledger, connection: u64, trade: &Trade) -> bool {
    let is_new = take(ledger, trade);
    ledger.brought(connection, trade);
    is_new
}

fn parts(due: &[Due]) -> Vec<(u64, u64)> {
    let ids = due.iter().flat_map(|due| &due.parts).filter_map(|span| span.ids.clone());
    ids.map(|ids| (*ids.start(), *ids.end())).collect()
}

#[tokio::test(start_paused = true)]
async fn trades_out_of_order_are_no_gap() {
    let ledger = Ledger::new(1, TradeIds::Dense);
    for id in [1, 2, 5, 4, 3, 6] {
        assert!(take(&ledger, &trade(id, 1)));
    }
    assert!(!take(&ledger, &trade(4, 1)));
    tokio::time::advance(PATIENCE).await;
    assert!(ledger.due(PATIENCE).is_empty());
    assert_eq!((states(&ledger), ledger.open_gaps()), (vec![], 0));
}

#[tokio::test(start_paused = true)]
async fn a_gap_is_asked_for_after_the_patience_and_filled() {
    let ledger = Ledger::new(1, TradeIds::Dense);
    take(&ledger, &trade(1, 1));
    take(&ledger, &trade(10, 5));
    assert!(ledger.due(PATIENCE).is_empty(), "it may close by itself");
    tokio::time::advance(PATIENCE).await;
    take(&ledger, &trade(4, 2));
    let due = ledger.due(PATIENCE);
    assert_eq!(parts(&due), [(2, 3), (5, 9)]);
    let first = &due[0].parts[0];
    assert_eq!((first.start_us, first.end_us), (1_000_000, 5_000_000));
    assert_eq!((&first.after, &first.before), (&Some(TradeId::Number(1)), &Some(TradeId::Number(4))));
    assert!(ledger.due(PATIENCE).is_empty(), "it is being asked for");
    for id in [2, 3, 5, 6, 7] {
        assert!(take(&ledger, &Trade { source: Source::Backfill, ..trade(id, 2) }));
    }
    ledger.attempted(&due[0], Attempt::Later(Duration::from_secs(10)));
    assert!(ledger.due(PATIENCE).is_empty());
    tokio::time::advance(Duration::from_secs(10)).await;
    let due = ledger.due(PATIENCE);
    assert_eq!(parts(&due), [(8, 9)]);
    take(&ledger, &trade(8, 2));
    take(&ledger, &trade(9, 2));
    ledger.attempted(&due[0], Attempt::Answered);
    assert_eq!(states(&ledger), [(Some((2, 9)), "open"), (Some((2, 9)), "filled")]);
}

#[tokio::test(start_paused = true)]
async fn what_the_exchange_has_not_got_is_listed_by_id_and_settled() {
    let ledger = Ledger::new(1, TradeIds::Dense);
    take(&ledger, &trade(1, 1));
    take(&ledger, &trade(10, 5));
    tokio::time::advance(PATIENCE).await;
    let due = ledger.due(PATIENCE);
    take(&ledger, &trade(5, 2));
    ledger.attempted(&due[0], Attempt::Answered);
    for lag in [2, 10, 60, 600] {
        tokio::time::advance(Duration::from_secs(lag - 1)).await;
        assert!(ledger.due(PATIENCE).is_empty(), "the exchange's history may lag");
        tokio::time::advance(Duration::from_secs(1)).await;
        let due = ledger.due(PATIENCE);
        assert_eq!(parts(&due), [(2, 4), (6, 9)]);
        ledger.attempted(&due[0], Attempt::Answered);
    }
    let expected =
        [(Some((2, 9)), "open"), (Some((2, 9)), "filled"), (Some((2, 4)), "missing"), (Some((6, 9)), "missing")];
    assert_eq!(states(&ledger), expected);
    let positions = ledger.take_positions();
    let successor = Ledger::new(1, TradeIds::Dense);
    successor.restore(0, &positions[0].1).unwrap();
    tokio::time::advance(PATIENCE).await;
    assert!(successor.due(PATIENCE).is_empty(), "nobody asks again");
    assert!(take(&ledger, &trade(3, 2)), "should they come, they are new");
}

#[tokio::test(start_paused = true)]
async fn a_successor_asks_for_what_was_missed_and_delivers_nothing_twice() {
    let ledger = Ledger::new(1, TradeIds::Dense);
    for id in [1, 2, 3, 7] {
        take(&ledger, &trade(id, id as i64));
    }
    assert!(ledger.is_new(&trade(8, 8)), "let through, not handed over");
    let positions = ledger.take_positions();
    assert_eq!(positions.len(), 1);
    assert!(ledger.take_positions().is_empty(), "nothing changed");

    let successor = Ledger::new(1, TradeIds::Dense);
    successor.restore(0, &positions[0].1).unwrap();
    assert!(take(&successor, &trade(12, 12)));
    for id in [1, 2, 3, 7, 12] {
        assert!(!take(&successor, &trade(id, id as i64)), "{id} was delivered");
    }
    tokio::time::advance(PATIENCE).await;
    assert_eq!(parts(&successor.due(PATIENCE)), [(4, 6), (8, 11)]);
}

#[tokio::test(start_paused = true)]
async fn where_ids_show_nothing_the_time_without_a_connection_is_the_gap() {
    let ledger = Ledger::new(1, TradeIds::Opaque);
    ledger.connected(0, 1);
    ledger.connected(0, 2);
    assert!(bring(&ledger, 1, &trade(70, 1)));
    assert!(!bring(&ledger, 2, &trade(70, 1)));
    assert!(bring(&ledger, 1, &trade(9, 2)));
    assert!(!bring(&ledger, 2, &trade(9, 2)));
    ledger.disconnected(0, 1);
    ledger.disconnected(0, 2);
    ledger.connected(0, 3);
    assert!(!bring(&ledger, 3, &trade(9, 2)), "a repeated trade is no sign of what came since");
    assert!(bring(&ledger, 3, &trade(50, 7)));
    let positions = ledger.take_positions();
    tokio::time::advance(PATIENCE).await;
    let due = ledger.due(PATIENCE);
    let span = &due[0].parts[0];
    assert_eq!((span.start_us, span.end_us, &span.ids), (2_000_000, 7_000_000, &None));
    assert_eq!((&span.after, &span.before), (&Some(TradeId::Number(9)), &Some(TradeId::Number(50))));
    ledger.attempted(&due[0], Attempt::Answered);
    assert_eq!(states(&ledger), [(None, "open"), (None, "filled")]);

    let successor = Ledger::new(1, TradeIds::Opaque);
    successor.restore(0, &positions[0].1).unwrap();
    assert!(!take(&successor, &trade(9, 2)) && !take(&successor, &trade(50, 7)));
    assert!(take(&successor, &trade(60, 9)));
    tokio::time::advance(PATIENCE).await;
    let due = successor.due(PATIENCE);
    let spans: Vec<_> = due.iter().flat_map(|due| &due.parts).map(|span| (span.start_us, span.end_us)).collect();
    assert_eq!(spans, [(2_000_000, 7_000_000), (7_000_000, 9_000_000)]);
}

#[tokio::test(start_paused = true)]
async fn a_trade_that_waits_for_kafka_is_in_no_position() {
    let ledger = Ledger::new(1, TradeIds::Opaque);
    take(&ledger, &trade(1, 1));
    let waits = trade(2, 1);
    assert!(ledger.is_new(&waits));
    let positions = ledger.take_positions();
    let successor = Ledger::new(1, TradeIds::Opaque);
    successor.restore(0, &positions[0].1).unwrap();
    assert!(!take(&successor, &trade(1, 1)));
    assert!(take(&successor, &waits), "the former host was killed while it waited");
}

#[tokio::test(start_paused = true)]
async fn what_is_told_on_subscription_does_not_hide_what_lies_before() {
    for live in [true, false] {
        let ledger = Ledger::new(1, TradeIds::Increasing);
        ledger.connected(0, 1);
        bring(&ledger, 1, &trade(1, 1));
        ledger.disconnected(0, 1);
        ledger.connected(0, 1);
        for id in [20, 21] {
            assert!(take(&ledger, &Trade { source: Source::Snapshot, ..trade(id, id as i64) }));
        }
        if live {
            assert!(take(&ledger, &trade(22, 22)));
        } else {
            assert!(ledger.due(PATIENCE).is_empty());
            tokio::time::advance(Duration::from_secs(10)).await;
            assert!(ledger.due(PATIENCE).is_empty());
        }
        tokio::time::advance(PATIENCE).await;
        let due = ledger.due(PATIENCE);
        let span = &due[0].parts[0];
        assert_eq!((span.start_us, &span.after), (1_000_000, &Some(TradeId::Number(1))));
        assert!(span.end_us >= 22_000_000);
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_given_up_and_not_told_yet_is_asked_for_by_the_next_host() {
    for ids in [TradeIds::Dense, TradeIds::Increasing] {
        let ledger = Ledger::new(1, ids);
        ledger.connected(0, 1);
        bring(&ledger, 1, &trade(1, 1));
        ledger.disconnected(0, 1);
        ledger.connected(0, 1);
        bring(&ledger, 1, &trade(10, 5));
        tokio::time::advance(PATIENCE).await;
        let due = ledger.due(PATIENCE);
        ledger.attempted(&due[0], Attempt::GiveUp("nobody answers".to_owned()));
        let notices = ledger.take_notices();
        let holes = |ledger: &Ledger| {
            let successor = Ledger::new(1, ids);
            successor.restore(0, &ledger.take_positions()[0].1).unwrap();
            successor.open_gaps()
        };
        assert_eq!(holes(&ledger), 1, "{ids:?}: the news may never have reached Kafka");
        notices.iter().for_each(|notice| ledger.told(notice));
        assert_eq!(holes(&ledger), 0, "{ids:?}");
    }
}

/// Where ids show nothing: the newer connection may begin behind what is still on its way on the older.
#[tokio::test(start_paused = true)]
async fn what_was_on_its_way_on_a_connection_that_ends_is_asked_for() {
    let ledger = Ledger::new(1, TradeIds::Increasing);
    ledger.connected(0, 1);
    bring(&ledger, 1, &trade(1, 1));
    ledger.connected(0, 2);
    bring(&ledger, 2, &trade(5, 5));
    let successor = Ledger::new(1, TradeIds::Increasing);
    successor.restore(0, &ledger.take_positions()[0].1).unwrap();
    take(&successor, &trade(9, 9));
    tokio::time::advance(PATIENCE).await;
    assert_eq!(successor.due(PATIENCE)[0].parts[0].start_us, 1_000_000, "the host is killed");

    ledger.disconnected(0, 1);
    bring(&ledger, 2, &trade(6, 6));
    tokio::time::advance(PATIENCE).await;
    let due = ledger.due(PATIENCE);
    assert_eq!((due[0].parts[0].start_us, due[0].parts[0].end_us), (1_000_000, 6_000_000), "the connection ends");
}

/// A market that a connection does not serve yet is not served by it.
#[tokio::test(start_paused = true)]
async fn each_market_has_its_own_connections() {
    let ledger = Ledger::new(2, TradeIds::Increasing);
    ledger.connected(0, 1);
    ledger.connected(1, 1);
    let other = |id: u64, seconds: i64| Trade { market: 1, ..trade(id, seconds) };
    bring(&ledger, 1, &trade(1, 1));
    bring(&ledger, 1, &other(1, 1));
    ledger.connected(0, 2);
    bring(&ledger, 2, &trade(1, 1));
    for market in [0, 1] {
        ledger.disconnected(market, 1);
    }
    ledger.connected(1, 2);
    bring(&ledger, 2, &other(9, 9));
    tokio::time::advance(PATIENCE).await;
    let due = ledger.due(PATIENCE);
    let markets: Vec<_> = due.iter().map(|due| (due.market, due.parts[0].start_us)).collect();
    assert_eq!(markets, [(1, 1_000_000)]);
}

/// A market that is silent is not asked for the same time again, whenever one of its connections ends.
#[tokio::test(start_paused = true)]
async fn what_a_silent_market_was_asked_for_is_settled() {
    let ledger = Ledger::new(1, TradeIds::Increasing);
    ledger.connected(0, 1);
    bring(&ledger, 1, &trade(1, 1));
    for connection in 2..4 {
        ledger.disconnected(0, connection - 1);
        ledger.connected(0, connection);
        ledger.due(PATIENCE);
        tokio::time::advance(Duration::from_secs(10)).await;
        ledger.due(PATIENCE);
        tokio::time::advance(PATIENCE).await;
        let due = ledger.due(PATIENCE);
        let expected = if connection == 2 { 1_000_000 } else { 30_000_000 };
        assert_eq!(due[0].parts[0].start_us, expected, "connection {connection}");
        take(&ledger, &Trade { source: Source::Backfill, ..trade(30, 30) });
        ledger.attempted(&due[0], Attempt::Answered);
    }
}

/// Whether there was anything is not forgotten with the host that asked.
#[tokio::test(start_paused = true)]
async fn a_question_outlives_the_host() {
    let ledger = Ledger::new(1, TradeIds::Increasing);
    ledger.connected(0, 1);
    bring(&ledger, 1, &trade(1, 1));
    ledger.disconnected(0, 1);
    ledger.connected(0, 2);
    ledger.due(PATIENCE);
    tokio::time::advance(Duration::from_secs(10)).await;
    ledger.due(PATIENCE);
    assert_eq!(ledger.open_gaps(), 1);
    bring(&ledger, 2, &trade(30, 30));
    let successor = Ledger::new(1, TradeIds::Increasing);
    successor.restore(0, &ledger.take_positions()[0].1).unwrap();
    tokio::time::advance(PATIENCE).await;
    assert_eq!(successor.due(PATIENCE)[0].parts[0].start_us, 1_000_000);
}

#[tokio::test(start_paused = true)]
async fn ids_that_begin_anew_are_new_trades() {
    let ledger = Ledger::new(1, TradeIds::Dense);
    for id in 1_000..1_010 {
        take(&ledger, &trade(id, 100));
    }
    assert!(!take(&ledger, &trade(1_000, 100)), "a repetition");
    assert!(take(&ledger, &trade(1_000, 3_600)), "an hour later it is another trade");
    assert!(take(&ledger, &trade(1_001, 3_600)));
    assert!(!take(&ledger, &trade(1_001, 3_600)));
}

#[test]
fn a_position_that_is_none_is_refused_with_a_sentence() {
    let ledger = Ledger::new(1, TradeIds::Dense);
    for (position, words) in [("{", "not readable"), (r#"{"schema":9,"timestamp_us":1,"id":1}"#, "schema is 9")] {
        let error = ledger.restore(0, position.as_bytes()).unwrap_err();
        assert!(error.contains(words), "{error}");
    }
    for (bounds, holes, sound) in [
        ("[1,9]", r#"[{"ids":[2,3],"start_us":1,"end_us":1},{"ids":[5,8],"start_us":1,"end_us":2}]"#, true),
        ("null", r#"[{"start_us":1,"end_us":2,"after":"a"}]"#, true),
        ("[9,1]", "[]", false),
        ("null", r#"[{"ids":[2,3],"start_us":1,"end_us":1}]"#, false),
        ("[1,9]", r#"[{"ids":[3,2],"start_us":1,"end_us":1}]"#, false),
        ("[1,9]", r#"[{"ids":[2,9],"start_us":1,"end_us":1}]"#, false),
        ("[1,9]", r#"[{"ids":[2,5],"start_us":1,"end_us":1},{"ids":[5,8],"start_us":1,"end_us":2}]"#, false),
        ("[1,9]", r#"[{"ids":[2,3],"start_us":2,"end_us":1}]"#, false),
    ] {
        let ledger = Ledger::new(1, TradeIds::Dense);
        let position = format!(r#"{{"schema":1,"bounds":{bounds},"timestamp_us":1,"id":9,"holes":{holes}}}"#);
        match ledger.restore(0, position.as_bytes()) {
            Ok(()) => assert!(sound, "{position}"),
            Err(error) => assert!(!sound && error.contains("is missing does not lie"), "{position}: {error}"),
        }
        ledger.due(PATIENCE);
    }
}

#[tokio::test(start_paused = true)]
async fn jumps_beyond_belief_and_too_many_gaps_are_given_up_with_a_reason() {
    let ledger = Ledger::new(1, TradeIds::Dense);
    take(&ledger, &trade(1, 1));
    take(&ledger, &trade(u64::MAX - 5_000, 1));
    assert_eq!(states(&ledger), [(Some((2, u64::MAX - 5_001)), "missing")]);
    for step in 1..=300 {
        take(&ledger, &trade(u64::MAX - 5_000 + step * 2, 1));
    }
    let given_up = states(&ledger).len();
    assert_eq!(ledger.open_gaps() + given_up, 300);
    assert!(given_up > 0);

    // Who goes on from there neither asks for them nor tells of them again.
    let successor = Ledger::new(1, TradeIds::Dense);
    successor.restore(0, &ledger.take_positions()[0].1).unwrap();
    assert_eq!((successor.open_gaps(), states(&successor)), (ledger.open_gaps(), vec![]));
}

#[tokio::test(start_paused = true)]
async fn a_market_that_stays_silent_after_an_interruption_is_asked_for_once() {
    let ledger = Ledger::new(1, TradeIds::Dense);
    ledger.connected(0, 1);
    take(&ledger, &trade(7, 3));
    tokio::time::advance(Duration::from_secs(60)).await;
    assert!(ledger.due(PATIENCE).is_empty(), "silence alone is no sign");
    ledger.disconnected(0, 1);
    tokio::time::advance(Duration::from_secs(60)).await;
    assert!(ledger.due(PATIENCE).is_empty(), "there is no connection");
    ledger.connected(0, 1);
    assert!(ledger.due(PATIENCE).is_empty());
    tokio::time::advance(Duration::from_secs(10)).await;
    assert!(ledger.due(PATIENCE).is_empty(), "a gap may close by itself");
    tokio::time::advance(PATIENCE).await;
    let due = ledger.due(PATIENCE);
    let span = &due[0].parts[0];
    assert_eq!((span.start_us, &span.after, &span.before), (3_000_000, &Some(TradeId::Number(7)), &None));
    for id in [8, 9] {
        assert!(take(&ledger, &Trade { source: Source::Backfill, ..trade(id, 4) }));
    }
    assert!(!take(&ledger, &trade(9, 4)));
    assert!(take(&ledger, &trade(10, 5)));
    ledger.attempted(&due[0], Attempt::Answered);
    tokio::time::advance(Duration::from_secs(60)).await;
    assert!(ledger.due(PATIENCE).is_empty());
    assert_eq!((states(&ledger), ledger.open_gaps()), (vec![], 0));
}
