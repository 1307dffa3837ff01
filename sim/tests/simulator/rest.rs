//! REST of both exchanges.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tapedeck_sim::{Exchange, Fault, RestFault, Simulator, SimulatorOptions};

use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::client::{get_json, http, options};

/// A simulator that has published its whole tape to nobody.
async fn published(exchange: Exchange, market: &str, trades: u64) -> Simulator {
    publish_all(options(exchange, &[market], trades)).await
}

async fn publish_all(mut options: SimulatorOptions) -> Simulator {
    (options.wait_for_subscribers, options.rate) = (0, tapedeck_sim::Rate::PerSecond(100_000));
    let simulator = Simulator::start(options).await.unwrap();
    simulator.wait_until_finished().await;
    simulator
}

#[tokio::test]
async fn binance_gives_every_trade_by_id() {
    let simulator = published(Exchange::Binance, "BTC/USDT", 3_500).await;
    let truth = simulator.truth();
    let mut rows: Vec<Value> = Vec::new();
    let mut from_id = truth[0].trade.id;
    loop {
        let page =
            get_json(&simulator, &format!("/api/v3/historicalTrades?symbol=BTCUSDT&limit=1000&fromId={from_id}")).await;
        let page = page.as_array().unwrap().clone();
        let Some(last) = page.last() else { break };
        from_id = last["id"].as_u64().unwrap() + 1;
        rows.extend(page);
    }
    assert_eq!(rows.len(), truth.len());
    for (row, truth) in rows.iter().zip(&truth) {
        let trade = truth.trade;
        assert_eq!((&row["id"], &row["price"]), (&json!(trade.id), &json!(trade.price_text())));
        assert_eq!((&row["qty"], &row["time"]), (&json!(trade.quantity_text()), &json!(trade.timestamp_us / 1_000)));
        assert_eq!(row["isBuyerMaker"], trade.side.name() == "SELL");
    }
    let newest = get_json(&simulator, "/api/v3/trades?symbol=BTCUSDT").await;
    assert_eq!((newest.as_array().unwrap().len(), &newest[499]["id"]), (500, &json!(truth[3_499].trade.id)));
    let header = "x-mbx-time-unit: MICROSECOND\r\n";
    let (_, head, body) = http(&simulator, "GET", "/api/v3/trades?symbol=BTCUSDT&limit=1", header, "").await;
    assert!(head.contains("x-mbx-used-weight-1m: "));
    assert_eq!(serde_json::from_str::<Value>(&body).unwrap()[0]["time"], truth[3_499].trade.timestamp_us);
}

#[tokio::test]
async fn binance_aggregates_agree_with_the_trades() {
    let simulator = published(Exchange::Binance, "BTC/USDT", 3_000).await;
    let truth = simulator.truth();
    let mut start_time = truth[0].trade.timestamp_us / 1_000;
    let mut aggregates: Vec<Value> = Vec::new();
    loop {
        let page =
            get_json(&simulator, &format!("/api/v3/aggTrades?symbol=BTCUSDT&limit=1000&startTime={start_time}")).await;
        let last_known = aggregates.last().map_or(0, |last: &Value| last["a"].as_u64().unwrap());
        let new: Vec<Value> =
            page.as_array().unwrap().iter().filter(|row| row["a"].as_u64().unwrap() > last_known).cloned().collect();
        let Some(last) = new.last() else { break };
        start_time = last["T"].as_i64().unwrap();
        aggregates.extend(new);
    }
    let mut next = 0;
    for row in &aggregates {
        let (first, last) = (row["f"].as_u64().unwrap(), row["l"].as_u64().unwrap());
        assert_eq!(truth[next].trade.id, first);
        next += (last - first + 1) as usize;
        assert_eq!(row["p"], truth[next - 1].trade.price_text());
    }
    assert_eq!(next, 3_000);
    let by_id =
        get_json(&simulator, &format!("/api/v3/aggTrades?symbol=BTCUSDT&limit=2&fromId={}", aggregates[5]["a"])).await;
    assert_eq!(by_id.as_array().unwrap()[..], aggregates[5..7]);
}

#[tokio::test]
async fn binance_refuses_as_documented() {
    let simulator = published(Exchange::Binance, "BTC/USDT", 10).await;
    for (path, status, code) in [
        ("/api/v3/trades", 400, -1102),
        ("/api/v3/trades?symbol=NOSUCH", 400, -1121),
        ("/api/v3/historicalTrades?symbol=BTCUSDT&fromId=x", 400, -1100),
        ("/api/v3/aggTrades?symbol=BTCUSDT&fromId=1&startTime=1", 400, -1128),
    ] {
        let (answered, _, body) = http(&simulator, "GET", path, "", "").await;
        let body: Value = serde_json::from_str(&body).unwrap();
        assert_eq!((answered, body["code"].as_i64().unwrap()), (status, code), "{path}");
    }
    assert_eq!(http(&simulator, "GET", "/api/v3/nosuch", "", "").await.0, 404);
    assert_eq!(get_json(&simulator, "/api/v3/ping").await, json!({}));
    assert!(get_json(&simulator, "/api/v3/time").await["serverTime"].as_i64().unwrap() >= 1_723_161_255_000);
    assert_eq!(get_json(&simulator, "/api/v3/exchangeInfo").await["symbols"][0]["symbol"], "BTCUSDT");
}

#[tokio::test]
async fn binance_counts_weight() {
    let mut options = options(Exchange::Binance, &["BTC/USDT"], 10);
    options.rest_weight_per_minute = 60;
    let simulator = Simulator::start(options).await.unwrap();
    for _ in 0..2 {
        assert_eq!(http(&simulator, "GET", "/api/v3/trades?symbol=BTCUSDT", "", "").await.0, 200);
    }
    let (status, head, _) = http(&simulator, "GET", "/api/v3/trades?symbol=BTCUSDT", "", "").await;
    assert!(status == 429 && head.contains("retry-after: "), "{status} {head}");
}

#[tokio::test]
async fn kraken_gives_every_trade_by_time_with_a_seventh_digit() {
    for (skew_us, faults) in [(0, ""), (1, ""), (0, "late=0.05")] {
        let mut options = options(Exchange::Kraken, &["BTC/USD"], 2_500);
        (options.rest_skew_us, options.faults) = (skew_us, faults.parse().unwrap());
        let simulator = publish_all(options).await;
        let truth = simulator.truth();
        let mut since = "0".to_owned();
        let mut seen = 0;
        let mut seventh_digits = 0;
        // A page may end among trades of one time, so a client that wants all goes back to before that time.
        while seen < truth.len() {
            let answer =
                http(&simulator, "GET", &format!("/0/public/Trades?pair=XBTUSD&since={since}"), "", "").await.2;
            let rows = answer.split_once("\"XXBTZUSD\":[").unwrap().1.split_once("],\"last\"").unwrap().0;
            for row in rows.split("],[") {
                let cells: Vec<&str> =
                    row.trim_matches(['[', ']']).split(',').map(|cell| cell.trim_matches('"')).collect();
                let id: u64 = cells[6].parse().unwrap();
                let Some(truth) = truth.get(seen).filter(|truth| truth.trade.id == id) else { continue };
                seen += 1;
                let (seconds, fraction) = cells[2].split_once('.').unwrap();
                seventh_digits += usize::from(fraction.len() == 7);
                let digits: i64 = format!("{fraction:0<7}")[..6].parse().unwrap();
                let time_us = seconds.parse::<i64>().unwrap() * 1_000_000 + digits;
                assert_eq!(time_us, truth.trade.timestamp_us + skew_us);
                assert_eq!(cells[0], format!("{}000", truth.trade.price_text()));
                assert_eq!(
                    (cells[1], cells[3]),
                    (truth.trade.quantity_text().as_str(), &truth.trade.side.name().to_lowercase()[..1])
                );
                if !truth.trade.late {
                    since = format!("{}", (time_us - 1) * 1_000);
                }
            }
        }
        assert!(seventh_digits > 1_500, "{seventh_digits} of 2,500 times have a seventh digit");
        let answer = get_json(&simulator, "/0/public/Trades?pair=BTC/USD&count=3").await;
        let rows = answer["result"]["XXBTZUSD"].as_array().unwrap();
        assert_eq!((rows.len(), &rows[2][6]), (3, &json!(truth[2_499].trade.id)));
        let last = answer["result"]["last"].as_str().unwrap();
        let after = get_json(&simulator, &format!("/0/public/Trades?pair=XXBTZUSD&since={last}")).await;
        assert_eq!(after["result"], json!({ "XXBTZUSD": [], "last": last }), "since is exclusive");
    }
}

#[tokio::test]
async fn kraken_refuses_with_a_status_of_200() {
    let simulator = published(Exchange::Kraken, "BTC/USD", 10).await;
    for (path, reason) in [
        ("/0/public/Trades?pair=NOSUCH", "EQuery:Unknown asset pair"),
        ("/0/public/Trades", "EGeneral:Invalid arguments"),
        ("/0/public/Trades?pair=XBTUSD&since=x", "EGeneral:Invalid arguments:since"),
        ("/0/public/NoSuch", "EGeneral:Unknown method"),
    ] {
        assert_eq!(get_json(&simulator, path).await, json!({ "error": [reason] }), "{path}");
    }
    assert_eq!(get_json(&simulator, "/0/public/SystemStatus").await["result"]["status"], "online");
    assert!(get_json(&simulator, "/0/public/Time").await["result"]["unixtime"].as_i64().unwrap() >= 1_723_161_255);
    assert_eq!(get_json(&simulator, "/0/public/AssetPairs").await["result"]["XXBTZUSD"]["wsname"], "BTC/USD");
}

#[tokio::test]
async fn rest_fails_and_dawdles_on_demand() {
    let simulator = published(Exchange::Binance, "BTC/USDT", 1_000).await;
    let path = "/api/v3/trades?symbol=BTCUSDT&limit=1000";
    assert_eq!(http(&simulator, "POST", "/sim/fault/rest?status=418&retry_after=7&requests=2", "", "").await.0, 204);
    for _ in 0..2 {
        let (status, head, body) = http(&simulator, "GET", path, "", "").await;
        assert!(status == 418 && head.contains("retry-after: 7") && body.contains("-1003"), "{status} {head}");
    }
    assert_eq!(http(&simulator, "GET", path, "", "").await.0, 200);
    let slow = RestFault { body_delay: Some(Duration::from_millis(300)), ..RestFault::default() };
    simulator.inject(Fault::Rest(slow)).unwrap();
    let started = Instant::now();
    let (status, _, body) = http(&simulator, "GET", path, "", "").await;
    assert!(started.elapsed() >= Duration::from_millis(300) && status == 200);
    assert_eq!(serde_json::from_str::<Value>(&body).unwrap().as_array().unwrap().len(), 1_000);
    simulator.inject(Fault::Clear).unwrap();
    assert_eq!(http(&simulator, "GET", path, "", "").await.0, 200);
}

#[tokio::test]
async fn rest_is_down_and_comes_back() {
    let simulator = published(Exchange::Kraken, "BTC/USD", 10).await;
    let path = "/0/public/Trades?pair=XBTUSD";
    assert_eq!(http(&simulator, "POST", "/sim/fault/rest?down=true", "", "").await.0, 204);
    let mut socket = tokio::net::TcpStream::connect(simulator.address()).await.unwrap();
    socket.write_all(format!("GET {path} HTTP/1.1\r\nhost: sim\r\n\r\n").as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    let _ = socket.read_to_end(&mut answer).await;
    assert!(answer.is_empty(), "{}", String::from_utf8_lossy(&answer));
    assert_eq!(http(&simulator, "POST", "/sim/fault/clear", "", "").await.0, 204);
    assert_eq!(http(&simulator, "GET", path, "", "").await.0, 200);
}

#[tokio::test]
async fn rest_fails_at_a_rate_that_changes_while_it_runs() {
    let mut options = options(Exchange::Binance, &["BTC/USDT"], 10);
    options.rest_faults = "500:0.5".parse().unwrap();
    let simulator = publish_all(options).await;
    let path = "/api/v3/aggTrades?symbol=BTCUSDT";
    let mut failed = 0;
    for _ in 0..50 {
        failed += u64::from(http(&simulator, "GET", path, "", "").await.0 == 500);
    }
    assert!((10..40).contains(&failed), "{failed} of 50");
    assert_eq!(simulator.status().counters.rest_troubles, failed);
    assert_eq!(http(&simulator, "POST", "/sim/fault/rest-rates?429=1&retry-after=7", "", "").await.0, 204);
    let (status, head, _) = http(&simulator, "GET", path, "", "").await;
    assert!(status == 429 && head.contains("retry-after: 7"), "{status} {head}");
    assert_eq!(http(&simulator, "POST", "/sim/fault/rest-rates", "", "").await.0, 204);
    assert_eq!(http(&simulator, "GET", path, "", "").await.0, 200);
    let (status, _, reason) = http(&simulator, "POST", "/sim/fault/rest-rates?fast=1", "", "").await;
    assert!(status == 400 && reason.contains("`fast`"), "{reason}");
}

/// Minutes of trades at thousands a second stay reachable from their first id on.
#[tokio::test]
async fn an_outage_of_minutes_can_be_backfilled() {
    let mut options = options(Exchange::Binance, &["BTC/USDT"], 600_000);
    options.rest_weight_per_minute = 0;
    let simulator = publish_all(options).await;
    let first = simulator.truth()[0].trade.id;
    for offset in [0, 299_500, 599_000] {
        let from = first + offset;
        let page =
            get_json(&simulator, &format!("/api/v3/historicalTrades?symbol=BTCUSDT&limit=1000&fromId={from}")).await;
        let rows = page.as_array().unwrap();
        assert_eq!((rows.len(), &rows[0]["id"], &rows[999]["id"]), (1_000, &json!(from), &json!(from + 999)));
    }
}
