//! Kraken's socket.

use std::time::Duration;

use serde_json::json;
use tapedeck_sim::{Exchange, Fault, Rate, Simulator};

use crate::client::{Client, kraken_rows, options, told};

fn subscribe(symbols: &[&str], snapshot: bool) -> String {
    let params = json!({ "channel": "trade", "symbol": symbols, "snapshot": snapshot });
    json!({ "method": "subscribe", "params": params, "req_id": 1 }).to_string()
}

#[tokio::test]
async fn every_trade_arrives_once_in_frames_of_several() {
    let simulator = Simulator::start(options(Exchange::Kraken, &["BTC/USD", "ETH/USD"], 20_000)).await.unwrap();
    let mut client = Client::connect(&simulator, "/v2").await;
    let status = client.next_json().await;
    assert_eq!((&status["channel"], &status["data"][0]["system"]), (&json!("status"), &json!("online")));
    client.send(&subscribe(&["BTC/USD", "ETH/USD"], false)).await;
    for symbol in ["BTC/USD", "ETH/USD"] {
        let acknowledged = client.next_json().await;
        assert_eq!(acknowledged["result"], json!({ "channel": "trade", "symbol": symbol, "snapshot": false }));
        assert_eq!((&acknowledged["success"], &acknowledged["req_id"]), (&json!(true), &json!(1)));
        assert_eq!(acknowledged["time_in"].as_str().unwrap().len(), 27);
    }
    let mut received = [Vec::new(), Vec::new()];
    let mut frames = 0;
    while received[0].len() + received[1].len() < 20_000 {
        let frame = client.next_text().await.unwrap();
        if frame.contains("\"heartbeat\"") {
            continue;
        }
        assert!(frame.starts_with(r#"{"channel":"trade","type":"update","data":[{"symbol":"#), "{frame}");
        received[usize::from(frame.contains("\"ETH/USD\""))].extend(kraken_rows(&frame));
        frames += 1;
    }
    let truth: Vec<_> = simulator.truth().iter().map(told).collect();
    assert!(received.concat() == truth, "frames and truth differ");
    assert!(frames < 10_000, "{frames} frames for 20,000 trades");
    assert_eq!(simulator.status().counters.trades_sent, 20_000);
}

#[tokio::test]
async fn a_snapshot_is_the_last_50_trades_and_updates_follow_on() {
    let mut options = options(Exchange::Kraken, &["BTC/USD"], 3_000);
    options.rate = Rate::PerSecond(3_000);
    options.wait_for_subscribers = 0;
    let simulator = Simulator::start(options).await.unwrap();
    let mut early = Client::connect(&simulator, "/v2").await;
    early.next_json().await;
    early.send(&subscribe(&["BTC/USD"], true)).await;
    tokio::time::sleep(Duration::from_millis(300)).await;
    let mut late = Client::connect(&simulator, "/v2").await;
    late.next_json().await;
    late.send(&subscribe(&["BTC/USD"], true)).await;
    assert_eq!(late.next_json().await["success"], true);
    let snapshot = late.next_text().await.unwrap();
    assert!(snapshot.contains("\"type\":\"snapshot\""), "{snapshot}");
    let mut received = kraken_rows(&snapshot);
    assert_eq!(received.len(), 50);
    simulator.wait_until_finished().await;
    let truth: Vec<_> = simulator.truth().iter().map(told).collect();
    while received.last() != truth.last() {
        let frame = late.next_text().await.unwrap();
        if !frame.contains("\"heartbeat\"") {
            received.extend(kraken_rows(&frame));
        }
    }
    assert!(truth.ends_with(&received), "a gap or an overlap between snapshot and updates");
    assert!(received.len() < 3_000, "the late client saw all of it");
}

#[tokio::test]
async fn refusals_name_the_symbol() {
    let mut options = options(Exchange::Kraken, &["BTC/USD"], 10);
    options.autostart = false;
    let simulator = Simulator::start(options).await.unwrap();
    let mut client = Client::connect(&simulator, "/v2").await;
    client.next_json().await;
    client.send(&subscribe(&["XBT/USD", "BTC/USD", "BTC/USD"], false)).await;
    let refused = client.next_json().await;
    assert_eq!(refused["error"], "Currency pair not supported XBT/USD");
    assert_eq!((&refused["success"], &refused["symbol"]), (&json!(false), &json!("XBT/USD")));
    assert_eq!(client.next_json().await["success"], true);
    assert_eq!(client.next_json().await["error"], "Already subscribed");
    let pong = client.ask(r#"{"method":"ping","req_id":42}"#).await;
    assert_eq!((&pong["method"], &pong["req_id"]), (&json!("pong"), &json!(42)));
    assert_eq!(client.ask("nonsense").await["error"], "Malformed request");
    let unsubscribe = r#"{"method":"unsubscribe","params":{"channel":"trade","symbol":["BTC/USD"]}}"#;
    assert_eq!(client.ask(unsubscribe).await["success"], true);
    assert_eq!(client.ask(unsubscribe).await["error"], "Subscription Not Found");
    assert_eq!(simulator.status().subscribed_markets, 0);
}

#[tokio::test]
async fn heartbeats_come_to_subscribers_and_idle_clients_are_cut() {
    let mut options = options(Exchange::Kraken, &["BTC/USD"], 10);
    options.autostart = false;
    options.heartbeat_interval = Duration::from_millis(30);
    options.idle_timeout = Some(Duration::from_millis(300));
    let simulator = Simulator::start(options).await.unwrap();
    let mut idle = Client::connect(&simulator, "/v2").await;
    let mut subscribed = Client::connect(&simulator, "/v2").await;
    subscribed.next_json().await;
    assert_eq!(subscribed.ask(&subscribe(&["BTC/USD"], true)).await["success"], true);
    for _ in 0..20 {
        assert_eq!(subscribed.next_json().await, json!({ "channel": "heartbeat" }));
    }
    assert_eq!(idle.next_json().await["channel"], "status");
    assert!(idle.next_text().await.is_none(), "a heartbeat without a subscription");
    assert_eq!(simulator.status().counters.rule_breakers_cut, 1);
    simulator.inject(Fault::Shutdown).unwrap();
    while subscribed.next_json().await["data"][0]["system"] != "maintenance" {}
}
