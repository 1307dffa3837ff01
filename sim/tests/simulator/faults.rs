//! Faults that are ordered, and faults that happen by themselves.

use std::collections::HashMap;
use std::time::Duration;

use tapedeck_sim::{Exchange, Fault, FaultRates, Rate, Simulator};
use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;

use crate::client::{Client, http, options, read_binance, told};

#[tokio::test]
async fn second_copies_disorder_and_damage_lose_nothing() {
    let mut options = options(Exchange::Binance, &["BTC/USDT", "ETH/USDT"], 20_000);
    options.faults = "duplicate=0.05,reorder=0.02,malformed=0.01".parse().unwrap();
    let simulator = Simulator::start(options).await.unwrap();
    let mut client = Client::connect(&simulator, "/stream?streams=btcusdt@trade/ethusdt@trade").await;
    let (mut copies, mut damaged, mut disorder) = (HashMap::new(), 0, 0);
    let mut highest = HashMap::new();
    simulator.wait_until_finished().await;
    let sent = simulator.status().counters;
    for _ in 0..sent.frames_sent {
        let message = client.next_message().await.unwrap();
        let Message::Text(text) = message else {
            assert!(String::from_utf8(message.into_data().to_vec()).is_err(), "a binary frame that is UTF-8");
            damaged += 1;
            continue;
        };
        let frame = serde_json::from_str::<serde_json::Value>(&text).unwrap_or_default();
        let well_formed = frame["data"]["p"].as_str().is_some_and(|price| price.len() < 30);
        if !well_formed {
            damaged += 1;
            continue;
        }
        let trade = read_binance(&frame["data"]);
        let high = highest.entry(frame["stream"].as_str().unwrap().to_owned()).or_insert(trade.0);
        disorder += u64::from(trade.0 < *high);
        *high = trade.0.max(*high);
        *copies.entry(trade).or_insert(0) += 1;
    }
    let truth: Vec<_> = simulator.truth().iter().map(told).collect();
    assert_eq!(copies.len(), truth.len());
    assert!(truth.iter().all(|trade| copies.contains_key(trade)));
    let second_copies: u64 = copies.values().map(|count| count - 1).sum();
    assert_eq!((second_copies, damaged), (sent.frames_duplicated, sent.frames_malformed));
    assert!((700..1_300).contains(&second_copies) && (120..300).contains(&damaged), "{second_copies} {damaged}");
    assert!(disorder > 300, "{disorder} frames behind a later one");
}

#[tokio::test]
async fn dropped_frames_are_in_the_truth_and_in_rest() {
    let mut options = options(Exchange::Binance, &["BTC/USDT"], 2_000);
    options.faults = "drop=0.1".parse().unwrap();
    let simulator = Simulator::start(options).await.unwrap();
    let mut client = Client::connect(&simulator, "/ws/btcusdt@trade").await;
    simulator.wait_until_finished().await;
    let counters = simulator.status().counters;
    assert_eq!(counters.trades, 2_000);
    assert_eq!(counters.trades_sent + counters.frames_dropped, 2_000);
    assert!((120..300).contains(&counters.frames_dropped));
    let mut ids: Vec<u64> = Vec::new();
    for _ in 0..counters.trades_sent {
        ids.push(client.next_json().await["t"].as_u64().unwrap());
    }
    let missing = simulator.truth().into_iter().find(|truth| !ids.contains(&truth.trade.id)).unwrap().trade.id;
    let path = format!("/api/v3/historicalTrades?symbol=BTCUSDT&fromId={missing}&limit=1");
    assert_eq!(crate::client::get_json(&simulator, &path).await[0]["id"], missing);
}

#[tokio::test]
async fn a_cut_ends_connections_without_a_word() {
    let mut options = options(Exchange::Binance, &["BTC/USDT"], 0);
    (options.trades, options.rate) = (None, Rate::PerSecond(1_000));
    let simulator = Simulator::start(options).await.unwrap();
    let mut client = Client::connect(&simulator, "/ws/btcusdt@trade").await;
    client.next_json().await;
    assert_eq!(http(&simulator, "POST", "/sim/fault/cut", "", "").await.0, 204);
    loop {
        match client.next_message().await {
            None => break,
            Some(message) => assert!(!matches!(message, Message::Close(_)), "a close frame"),
        }
    }
    let mut again = Client::connect(&simulator, "/ws/btcusdt@trade").await;
    let first = again.next_json().await["t"].as_u64().unwrap();
    assert!(first > simulator.truth()[0].trade.id, "trades went on meanwhile");
    assert_eq!(simulator.status().counters.connections_cut, 1);
}

#[tokio::test]
async fn a_silent_connection_stays_open_and_says_nothing() {
    let mut options = options(Exchange::Binance, &["BTC/USDT"], 0);
    (options.trades, options.rate) = (None, Rate::PerSecond(1_000));
    options.ping_interval = Some(Duration::from_millis(20));
    options.messages_per_second = 0;
    let simulator = Simulator::start(options).await.unwrap();
    let mut client = Client::connect(&simulator, "/ws/btcusdt@trade").await;
    let before = client.next_json().await["t"].as_u64().unwrap();
    assert_eq!(http(&simulator, "POST", "/sim/fault/silence?seconds=2", "", "").await.0, 204);
    // What was under way still arrives.
    while !client.is_silent_for(Duration::from_millis(100)).await {}
    client.send_message(Message::Ping("are you there".into())).await;
    client.send(r#"{"method":"LIST_SUBSCRIPTIONS","id":1}"#).await;
    assert!(client.is_silent_for(Duration::from_millis(200)).await, "an answer on a silent connection");
    let mut other = Client::connect(&simulator, "/ws/btcusdt@trade").await;
    other.next_json().await;
    let after = client.next_json().await["t"].as_u64().unwrap();
    assert!(after > before + 100, "{before} {after}: what was published meanwhile came late");
}

#[tokio::test]
async fn a_half_open_connection_neither_answers_nor_ends() {
    let mut options = options(Exchange::Binance, &["BTC/USDT"], 0);
    (options.trades, options.rate) = (None, Rate::PerSecond(1_000));
    (options.ping_interval, options.pong_timeout) = (Some(Duration::from_millis(20)), Duration::from_millis(100));
    options.messages_per_second = 0;
    let simulator = Simulator::start(options).await.unwrap();
    let mut client = Client::connect(&simulator, "/ws/btcusdt@trade").await;
    client.next_json().await;
    assert_eq!(http(&simulator, "POST", "/sim/fault/half-open", "", "").await.0, 204);
    while !client.is_silent_for(Duration::from_millis(100)).await {}
    client.send_message(Message::Ping("are you there".into())).await;
    client.send_message(Message::Close(None)).await;
    assert!(client.is_silent_for(Duration::from_millis(300)).await, "an answer, or an end");
    let mut other = Client::connect(&simulator, "/ws/btcusdt@trade").await;
    other.next_json().await;
    let status = simulator.status();
    assert_eq!((status.connections, status.counters.connections_half_open), (1, 1));
    simulator.inject(Fault::Clear).unwrap();
    assert!(client.ended().await);
    other.next_json().await;
}

#[tokio::test]
async fn an_exchange_that_is_away_comes_back() {
    let mut options = options(Exchange::Kraken, &["BTC/USD"], 10);
    options.autostart = false;
    let simulator = Simulator::start(options).await.unwrap();
    let mut client = Client::connect(&simulator, "/v2").await;
    client.next_json().await;
    assert_eq!(http(&simulator, "POST", "/sim/fault/away", "", "").await.0, 400);
    assert_eq!(http(&simulator, "POST", "/sim/fault/away?seconds=0.5", "", "").await.0, 204);
    assert!(client.ended().await);
    let mut refused = TcpStream::connect(simulator.address()).await.unwrap();
    assert_eq!(refused.read(&mut [0]).await.unwrap_err().kind(), std::io::ErrorKind::ConnectionReset);
    tokio::time::sleep(Duration::from_millis(600)).await;
    Client::connect(&simulator, "/v2").await.next_json().await;
}

#[tokio::test]
async fn a_clock_steps_and_ids_stay_in_order() {
    let mut options = options(Exchange::Kraken, &["BTC/USD"], 0);
    (options.trades, options.rate, options.wait_for_subscribers) = (None, Rate::PerSecond(5_000), 0);
    let simulator = Simulator::start(options).await.unwrap();
    for path in ["clock?ms=3600000", "clock?ms=-3600000"] {
        tokio::time::sleep(Duration::from_millis(200)).await;
        assert_eq!(http(&simulator, "POST", &format!("/sim/fault/{path}"), "", "").await.0, 204);
    }
    tokio::time::sleep(Duration::from_millis(200)).await;
    let times: Vec<i64> = simulator.truth().iter().map(|truth| truth.trade.timestamp_us).collect();
    assert!(times.is_sorted() && times[times.len() - 1] - times[0] >= 3_600_000_000);
    let time = crate::client::get_json(&simulator, "/0/public/Time").await;
    assert!(time["result"]["unixtime"].as_i64().unwrap() < 1_723_161_255 + 60, "{time}");
    assert_eq!(http(&simulator, "POST", "/sim/fault/clock", "", "").await.0, 400);
}

#[tokio::test]
async fn a_muted_market_is_silent_alone() {
    let mut options = options(Exchange::Binance, &["BTC/USDT", "ETH/USDT"], 0);
    (options.trades, options.rate) = (None, Rate::PerSecond(2_000));
    let simulator = Simulator::start(options).await.unwrap();
    let mut client = Client::connect(&simulator, "/stream?streams=btcusdt@trade/ethusdt@trade").await;
    client.next_json().await;
    assert_eq!(http(&simulator, "POST", "/sim/fault/mute?market=BTC/USDT", "", "").await.0, 204);
    while client.next_json().await["stream"] != "ethusdt@trade" {}
    tokio::time::sleep(Duration::from_millis(50)).await;
    let mut last_of_bitcoin = 0;
    for position in 0..600 {
        if client.next_json().await["stream"] == "btcusdt@trade" {
            last_of_bitcoin = position;
        }
    }
    assert!(last_of_bitcoin < 300, "a trade of the muted market as frame {last_of_bitcoin}");
    simulator.inject(Fault::Clear).unwrap();
    while client.next_json().await["stream"] != "btcusdt@trade" {}
    assert!(simulator.inject(Fault::Mute("NO/SUCH".to_owned(), None)).is_err());
}

#[tokio::test]
async fn any_frame_can_be_sent() {
    let mut options = options(Exchange::Kraken, &["BTC/USD"], 10);
    options.autostart = false;
    let simulator = Simulator::start(options).await.unwrap();
    let mut client = Client::connect(&simulator, "/v2").await;
    client.next_json().await;
    let nested = "[".repeat(100_000);
    assert_eq!(http(&simulator, "POST", "/sim/fault/frame", "", &nested).await.0, 204);
    assert_eq!(client.next_text().await.unwrap().as_str(), nested);
    simulator.inject(Fault::Frame { payload: vec![0xFF, 0x00], binary: true }).unwrap();
    assert_eq!(client.next_message().await, Some(Message::binary(vec![0xFF, 0x00])));
}

#[tokio::test]
async fn faults_by_rate_change_while_it_runs() {
    let mut options = options(Exchange::Binance, &["BTC/USDT"], 0);
    (options.trades, options.rate) = (None, Rate::PerSecond(5_000));
    options.faults.cut = Some(Duration::from_millis(100));
    let simulator = Simulator::start(options).await.unwrap();
    assert_eq!(http(&simulator, "POST", "/sim/fault/rates?duplicate=1", "", "").await.0, 204);
    let mut client = Client::connect(&simulator, "/ws/btcusdt@trade").await;
    while client.next_text().await.is_some() {}
    let counters = simulator.status().counters;
    assert!(counters.connections_cut >= 1 && counters.frames_duplicated > 0, "{counters:?}");
    let (status, _, reason) = http(&simulator, "POST", "/sim/fault/rates?duplicates=1", "", "").await;
    assert!(status == 400 && reason.contains("`duplicates`"), "{reason}");
    let (status, _, reason) = http(&simulator, "POST", "/sim/fault/explode", "", "").await;
    assert!(status == 400 && reason.contains("use cut, silence"), "{reason}");
    simulator.set_rates(FaultRates::default());
}
