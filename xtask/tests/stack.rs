//! The local stack itself: that its servers survive what the tests do to them, that nothing stays behind, and that the
//! audit finds every kind of difference in a real ClickHouse.

#![expect(clippy::unwrap_used)]
use std::path::Path;

use xtask::stack::{Client, Stack, StackOptions};
use xtask::truth::{Report, Trade, TradeKey, Trades, compare};

#[test]
fn servers_survive_a_kill_and_leave_nothing_behind() {
    let stack = Stack::start(&StackOptions::default()).unwrap();
    let client = stack.clickhouse().client();
    client.query("CREATE DATABASE kept").unwrap();
    let table = "CREATE TABLE kept.numbers (n UInt64) ENGINE = MergeTree ORDER BY n SETTINGS fsync_after_insert = 1";
    client.query(table).unwrap();
    client.query("INSERT INTO kept.numbers SELECT number FROM numbers(1000)").unwrap();

    stack.clickhouse().kill9().unwrap();
    assert!(!client.ping());
    stack.kafka().kill9().unwrap();
    let pids = (stack.clickhouse().pid(), stack.kafka().pid());
    stack.kafka().restart().unwrap();
    stack.clickhouse().restart().unwrap();
    assert_eq!(client.count("SELECT sum(n) FROM kept.numbers").unwrap(), 499_500);
    assert_ne!((stack.clickhouse().pid(), stack.kafka().pid()), pids);

    let error = client.query("SELECT no_such_column FROM kept.numbers").unwrap_err().to_string();
    assert!(error.contains("UNKNOWN_IDENTIFIER"), "{error}");
    assert!(stack.clickhouse().usage().unwrap().memory > 50_000_000);
    assert!(stack.kafka().usage().unwrap().cpu.as_millis() > 0);
    audit_finds_every_difference(&client);

    stack.stop().unwrap();
    assert_eq!(stack.kafka().usage(), None);
    let (folder, pids) = (stack.folder.clone(), [stack.clickhouse().pid(), stack.kafka().pid()]);
    drop(stack);
    assert!(!folder.exists());
    for pid in pids {
        assert!(!Path::new(&format!("/proc/{pid}")).exists(), "process {pid} is still there");
    }
}

/// A database with silver and gold of the real names, filled by hand.
fn audit_finds_every_difference(client: &Client) {
    client.query("CREATE DATABASE audit").unwrap();
    let silver = "CREATE TABLE audit.silver_trades (exchange String, canonical_symbol String, trade_id String, \
                  price Decimal(38, 12), quantity Decimal(38, 12), side Enum8('BUY' = 1, 'SELL' = 2), \
                  timestamp DateTime64(6, 'UTC')) ENGINE = ReplacingMergeTree ORDER BY (exchange, canonical_symbol, \
                  toStartOfMinute(timestamp), trade_id)";
    client.query(silver).unwrap();
    for (name, seconds) in [("1m", 60), ("5m", 300), ("15m", 900), ("30m", 1800), ("1h", 3600), ("1d", 86400)] {
        let view = format!(
            "CREATE VIEW audit.ohlcv_{name} AS SELECT exchange, canonical_symbol, \
             toDateTime(intDiv(toUnixTimestamp(toDateTime(timestamp)), {seconds}) * {seconds}, 'UTC') AS bucket, \
             argMin(price, (timestamp, toUInt64(trade_id))) AS open, max(price) AS high, min(price) AS low, \
             argMax(price, (timestamp, toUInt64(trade_id))) AS close, sum(quantity) AS volume, \
             sum(toDecimal256(price, 12) * toDecimal256(quantity, 12)) AS quote_volume, count() AS trades \
             FROM audit.silver_trades FINAL GROUP BY exchange, canonical_symbol, bucket"
        );
        client.query(&view).unwrap();
    }
    let insert = |rows: &str| {
        client.query(&format!("INSERT INTO audit.silver_trades VALUES {rows}")).unwrap();
    };
    insert("('x', 'A/B', '9', 2.5, 0.1, 'BUY', '2024-08-08 23:59:59.999999')");
    insert("('x', 'A/B', '10', 2.25, 0.000000000001, 'SELL', '2024-08-08 23:59:59.999999')");

    let truth = |rows: &[(&str, &str, &str, &str)]| {
        let mut trades = Trades::default();
        for (id, price, quantity, side) in rows {
            let key = TradeKey { exchange: "x".into(), market: "A/B".into(), id: (*id).into() };
            trades.add(key, Trade::parse(price, quantity, side, 1_723_161_599_999_999).unwrap()).unwrap();
        }
        trades
    };
    let counts = |report: Report| {
        let Report { candles, candles_different, silver, missing, unexpected, different, .. } = report;
        (candles, candles_different, silver, missing, unexpected, different)
    };
    let audit = |trades: &Trades| counts(compare(client, "audit", trades).unwrap());

    let (nine, ten) = (("9", "2.5", "0.1", "BUY"), ("10", "2.25", "0.000000000001", "SELL"));
    assert_eq!(audit(&truth(&[nine, ten])), (6, 0, 2, 0, 0, 0), "equal");
    assert_eq!(audit(&truth(&[nine])), (6, 6, 2, 0, 1, 0), "one unexpected");
    assert_eq!(audit(&truth(&[nine, ten, ("11", "2.3", "1", "BUY")])), (6, 6, 2, 1, 0, 0), "one missing");
    let other_quantity = ("10", "2.25", "0.000000000002", "SELL");
    assert_eq!(audit(&truth(&[nine, other_quantity])), (6, 6, 2, 0, 0, 1), "one different in its last place");
    let other_side = ("10", "2.25", "0.000000000001", "BUY");
    assert_eq!(audit(&truth(&[nine, other_side])), (6, 0, 2, 0, 0, 1), "candles have no side");

    // The same trade on the other side of midnight: twice in silver, and candles that nobody expects.
    insert("('x', 'A/B', '9', 2.5, 0.1, 'BUY', '2024-08-09 00:00:00.000000')");
    let report = compare(client, "audit", &truth(&[nine, ten])).unwrap();
    assert!(!report.is_clean() && !report.examples.is_empty());
    assert_eq!(counts(report).1, 6, "a candle too many of each interval");
}
