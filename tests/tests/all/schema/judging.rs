//! Each record is judged once: exact into bronze, or as it came into quarantine with the reason.

use std::collections::BTreeMap;

use anyhow::{Result, ensure};
use serde_json::{Value, json};

use super::{Database, foreign_record, record};

/// A field's value and the reason why it is refused.
fn refused() -> Vec<(Value, &'static str)> {
    let decimal = "price is not a decimal in text";
    vec![
        (json!({ "schema": null }), "schema is missing"),
        (json!({ "schema": 2 }), "schema is not supported"),
        (json!({ "exchange": "south" }), "exchange is not north"),
        (json!({ "exchange": null }), "exchange is not north"),
        (json!({ "symbol": "" }), "symbol is missing"),
        (json!({ "canonical_symbol": null }), "canonical_symbol is missing"),
        (json!({ "market_kind": "" }), "market_kind is missing"),
        (json!({ "trade_id": "" }), "trade_id is missing"),
        (json!({ "trade_id": null }), "trade_id is missing"),
        (json!({ "order": 1.5 }), "order is not a whole number"),
        (json!({ "order": -1 }), "order is not a whole number"),
        (json!({ "order": null }), "order is not a whole number"),
        (json!({ "count": 0 }), "count is not a whole number above 0"),
        (json!({ "count": 4_294_967_296_u64 }), "count is not a whole number above 0"),
        (json!({ "price": 2683.8 }), decimal),
        (json!({ "price": null }), decimal),
        (json!({ "price": "" }), decimal),
        (json!({ "price": "1e5" }), decimal),
        (json!({ "price": "+1" }), decimal),
        (json!({ "price": " 1" }), decimal),
        (json!({ "price": "1 " }), decimal),
        (json!({ "price": "1\n" }), decimal),
        (json!({ "price": "1." }), decimal),
        (json!({ "price": ".5" }), decimal),
        (json!({ "price": "-" }), decimal),
        (json!({ "price": "1.2.3" }), decimal),
        (json!({ "price": "NaN" }), decimal),
        (json!({ "price": "inf" }), decimal),
        (json!({ "price": "0x10" }), decimal),
        (json!({ "price": "१" }), decimal),
        (json!({ "price": { "value": "1" } }), decimal),
        (json!({ "price": "0.1234567890123" }), "price has more than 12 fraction digits"),
        (json!({ "price": "1".repeat(27) }), "price has more than 26 integer digits"),
        (json!({ "price": "1".repeat(40) }), "price has more than 26 integer digits"),
        (json!({ "price": "-1" }), "price is not positive"),
        (json!({ "price": "0.000" }), "price is not positive"),
        (json!({ "quantity": 1 }), "quantity is not a decimal in text"),
        (json!({ "quantity": "0.0000000000001" }), "quantity has more than 12 fraction digits"),
        (json!({ "quantity": "9".repeat(27) }), "quantity has more than 26 integer digits"),
        (json!({ "quantity": "0" }), "quantity is not positive"),
        (json!({ "quantity": "-0.5" }), "quantity is not positive"),
        (
            json!({ "price": "9".repeat(26), "quantity": "9".repeat(17) }),
            "price times quantity has more than 42 integer digits",
        ),
        (json!({ "side": "buy" }), "side is none of BUY, SELL, UNKNOWN"),
        (json!({ "side": null }), "side is none of BUY, SELL, UNKNOWN"),
        (json!({ "source": "other" }), "source is none of live, snapshot, backfill"),
        (json!({ "timestamp_us": "soon" }), "timestamp_us is not a whole number"),
        (json!({ "timestamp_us": 1_723_161_255_611_000.5 }), "timestamp_us is not a whole number"),
        (json!({ "timestamp_us": 1_723_161_255_611_i64 }), "timestamp is before 2009"),
        (json!({ "timestamp_us": i64::MIN }), "timestamp is before 2009"),
        (json!({ "timestamp_us": 1_723_161_255_611_000_000_i64 }), "timestamp is more than a day ahead"),
        (json!({ "timestamp_us": i64::MAX }), "timestamp is more than a day ahead"),
        (json!({ "received_at_us": null }), "received_at_us is not a time"),
        (json!({ "received_at_us": i64::MAX }), "received_at_us is not a time"),
        (json!({ "plugin": "" }), "plugin is missing"),
    ]
}

#[test]
fn what_is_no_trade_is_kept_with_its_reason() -> Result<()> {
    let database = Database::applied("judging")?;
    let mut expected: Vec<(String, &str)> =
        refused().into_iter().map(|(changes, reason)| (record(changes), reason)).collect();
    expected.extend(refused().into_iter().map(|(changes, reason)| (foreign_record(changes), reason)));
    for text in ["", "{", "nonsense", "[1,\"north\"]", "null", "\"text\""] {
        expected.push((text.to_owned(), "not a JSON object"));
    }
    expected.push((format!("{}x", record(json!({}))), "not a JSON object"));
    expected.push((record(json!({})).chars().take(200).collect(), "not a JSON object"));
    let records: Vec<String> = expected.iter().map(|(raw, _)| raw.clone()).collect();
    database.insert(&records)?;
    database.insert(&records)?;

    ensure!(database.count("SELECT count() FROM {db}.bronze_trades_north")? == 0, "a bad record is in bronze");
    let answer = database.query("SELECT kafka_offset, reason, base64Encode(raw) FROM {db}.quarantine FINAL")?;
    let kept: BTreeMap<usize, (String, String)> = answer
        .lines()
        .filter_map(|line| {
            let mut fields = line.split('\t').map(str::to_owned);
            Some((fields.next()?.parse().ok()?, (fields.next()?, fields.next()?)))
        })
        .collect();
    ensure!(kept.len() == answer.lines().count(), "redelivery is counted twice");
    for (offset, (raw, reason)) in expected.iter().enumerate() {
        let found = kept.get(&offset);
        ensure!(found.map(|(reason, _)| reason.as_str()) == Some(*reason), "{raw} is {found:?}, not {reason}");
        let encoded =
            database.query(&format!("SELECT base64Encode('{}')", raw.replace('\\', "\\\\").replace('\'', "\\'")))?;
        ensure!(found.map(|(_, text)| text.as_str()) == Some(encoded.trim()), "{raw} was not kept as it came");
    }
    ensure!(kept.len() == expected.len());
    Ok(())
}

#[test]
fn every_digit_that_fits_is_kept() -> Result<()> {
    let database = Database::applied("digits")?;
    let long = "9".repeat(26);
    let cases = [
        ("0.1234567890120000", "1", "0.123456789012", "0.123456789012"),
        (
            &format!("{long}.999999999999"),
            "0.000000000001",
            &format!("{long}.999999999999"),
            &format!("{}.999999999999999999999999", "9".repeat(14)),
        ),
        ("0000000000000000000000000000000001.5", "2", "1.5", "3"),
        ("1.0000000000000000000000000000000000000", "3", "1", "3"),
        (
            "999999999999.123456789012",
            "0.123456789012",
            "999999999999.123456789012",
            "123456789011.891784789741153483936144",
        ),
    ];
    let records: Vec<String> = (0..)
        .zip(cases.iter().flat_map(|case| [(case, record as fn(Value) -> String), (case, foreign_record)]))
        .map(|(id, ((price, quantity, ..), written))| {
            written(json!({ "price": price, "quantity": quantity, "trade_id": id.to_string(), "order": id }))
        })
        .collect();
    database.insert(&records)?;
    let found = database.query("SELECT price, quote_quantity FROM {db}.silver_trades FINAL ORDER BY order")?;
    let rows = cases.iter().map(|(_, _, price, quote)| format!("{price}\t{quote}"));
    let expected: Vec<String> = rows.flat_map(|row| [row.clone(), row]).collect();
    ensure!(found.lines().eq(expected.iter()), "{found}");
    database.settle()?;
    database.gold_equals_silver()
}

#[test]
fn what_silver_would_not_keep_is_refused() -> Result<()> {
    let mut database = Database::new("retention")?;
    database.settings.silver_days = Some(30);
    database.apply()?;
    let now = jiff::Timestamp::now().as_microsecond();
    let day = 86_400_000_000;
    let at =
        |id: u32, timestamp: i64| record(json!({ "trade_id": id.to_string(), "order": id, "timestamp_us": timestamp }));
    database.insert(&[at(1, now - 29 * day), at(2, now - 31 * day), at(3, now + day / 2), at(4, now + 2 * day)])?;
    let reasons = database.query("SELECT trade_id, reason FROM {db}.quarantine FINAL ORDER BY trade_id")?;
    ensure!(reasons == "2\ttimestamp is older than silver keeps\n4\ttimestamp is more than a day ahead\n", "{reasons}");
    let kept = database.query("SELECT trade_id FROM {db}.silver_trades FINAL ORDER BY trade_id")?;
    ensure!(kept == "1\n3\n", "{kept}");
    database.settle()?;
    database.gold_equals_silver()
}

/// A record as the host writes it is taken without being judged in full: both ways give the same row.
#[test]
fn who_writes_a_record_makes_no_difference() -> Result<()> {
    let database = Database::applied("writers")?;
    let changes = [
        json!({}),
        json!({ "side": "SELL", "source": "snapshot", "count": 7 }),
        json!({ "side": "UNKNOWN", "source": "backfill", "price": "99999999999999.999999999999", "quantity": "00000000000001.5" }),
        json!({ "price": "1", "quantity": "0.000000000001", "order": u64::MAX, "trade_id": "\"price\":\"2\"" }),
        json!({ "vendor": { "price": "5", "side": "BUY" }, "symbol": "ÄÖ/\u{1f600}", "order": 0 }),
        json!({ "price": "100000000000000.1", "quantity": "1.1234567890120", "market_kind": "perpetual" }),
        json!({ "timestamp_us": 1_230_768_000_000_000_i64, "received_at_us": 0 }),
    ];
    let rows = |write: fn(Value) -> String| {
        database.query("TRUNCATE TABLE {db}.bronze_trades_north")?;
        database.insert(&changes.iter().cloned().map(write).collect::<Vec<_>>())?;
        database.query("SELECT * EXCEPT ingested_at FROM {db}.bronze_trades_north ORDER BY kafka_offset")
    };
    let (host, other) = (rows(record)?, rows(foreign_record)?);
    ensure!(host.lines().count() == changes.len() && host == other, "by the host\n{host}by another\n{other}");
    ensure!(database.count("SELECT count() FROM {db}.quarantine")? == 0);
    Ok(())
}
