//! What is published: the same for a seed, at its rate, and known as the truth.

use std::time::{Duration, Instant};

use tapedeck_sim::{Exchange, Rate, Simulator, SlowClients, TRUTH_HEADER};

use crate::client::{Client, get_json, http, options, told};

#[tokio::test]
async fn a_seed_gives_the_same_truth_at_any_pace_of_the_clients() {
    let mut truths = Vec::new();
    for pause in [Duration::ZERO, Duration::from_millis(2)] {
        let simulator = Simulator::start(options(Exchange::Binance, &["BTC/USDT", "XRP/ETH"], 3_000)).await.unwrap();
        let mut client = Client::connect(&simulator, "/stream?streams=btcusdt@trade/xrpeth@trade").await;
        for received in 0..3_000 {
            client.next_text().await.unwrap();
            if received % 100 == 0 {
                tokio::time::sleep(pause).await;
            }
        }
        truths.push(simulator.truth().iter().map(told).collect::<Vec<_>>());
    }
    assert_eq!(truths[0].len(), 3_000);
    assert!(truths[0] == truths[1]);
}

#[tokio::test]
async fn a_rate_and_a_duration_are_kept_without_clients() {
    let mut options = options(Exchange::Kraken, &["BTC/USD", "ETH/USD"], 0);
    (options.trades, options.wait_for_subscribers) = (None, 0);
    options.rate = Rate::PerSecond(20_000);
    options.duration = Some(Duration::from_millis(500));
    let started = Instant::now();
    let simulator = Simulator::start(options.clone()).await.unwrap();
    simulator.wait_until_finished().await;
    let taken = started.elapsed();
    assert!((450..2_500).contains(&taken.as_millis()), "{taken:?}");
    let status = simulator.status();
    assert!((8_000..12_000).contains(&status.counters.trades), "{status:?}");
    assert_eq!(status.counters.trades_sent, 0);
    let again = Simulator::start(options).await.unwrap();
    again.wait_until_finished().await;
    assert!(simulator.truth() == again.truth(), "a duration cuts the tape at another trade");
}

#[tokio::test]
async fn publishing_waits_for_subscribers_and_can_be_stopped() {
    let mut options = options(Exchange::Binance, &["BTC/USDT", "ETH/USDT"], 1_000_000);
    options.rate = Rate::PerSecond(20_000);
    options.autostart = false;
    let simulator = Simulator::start(options).await.unwrap();
    let mut client = Client::connect(&simulator, "/ws/btcusdt@trade").await;
    assert_eq!(http(&simulator, "POST", "/sim/start", "", "").await.0, 204);
    assert!(client.is_silent_for(Duration::from_millis(150)).await, "one market of two is subscribed");
    client.send(r#"{"method":"SUBSCRIBE","params":["ethusdt@trade"],"id":1}"#).await;
    assert_eq!(client.next_json().await["id"], 1);
    client.next_json().await;
    assert_eq!(get_json(&simulator, "/sim/status").await["running"], true);
    assert_eq!(http(&simulator, "POST", "/sim/stop", "", "").await.0, 204);
    assert!(!simulator.status().running && simulator.status().pending_bytes == 0);
    let (trades, elapsed) = (simulator.status().counters.trades, simulator.status().elapsed_ms);
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(simulator.status().counters.trades, trades);
    simulator.start_publishing();
    while simulator.status().counters.trades == trades {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    assert!(simulator.status().elapsed_ms < elapsed + 700, "the clock went on while stopped");
}

#[tokio::test]
async fn the_truth_is_served_as_csv() {
    let simulator = Simulator::start(options(Exchange::Kraken, &["BTC/USD"], 200)).await.unwrap();
    let mut client = Client::connect(&simulator, "/v2").await;
    client.send(r#"{"method":"subscribe","params":{"channel":"trade","symbol":["BTC/USD"]}}"#).await;
    simulator.wait_until_finished().await;
    let (status, _, csv) = http(&simulator, "GET", "/sim/truth", "", "").await;
    assert_eq!(status, 200);
    let rows = csv.strip_prefix(TRUTH_HEADER).unwrap();
    let expected: String = simulator
        .truth()
        .iter()
        .map(|truth| {
            let (id, price, quantity, side, time) = told(truth);
            format!("kraken,BTC/USD,BTC/USD,{id},{price},{quantity},{side},{time}\n")
        })
        .collect();
    assert_eq!(rows, expected);
    assert_eq!(rows.lines().count(), 200);
}

#[tokio::test]
async fn a_slow_client_is_cut_or_waited_for() {
    for slow_clients in [SlowClients::Cut, SlowClients::Wait] {
        let mut options = options(Exchange::Binance, &["BTC/USDT"], 200_000);
        options.slow_clients = Some(slow_clients);
        options.client_buffer = 100_000;
        let simulator = Simulator::start(options).await.unwrap();
        let mut client = Client::connect(&simulator, "/ws/btcusdt@trade").await;
        tokio::time::sleep(Duration::from_millis(300)).await;
        let mut received = 0;
        if slow_clients == SlowClients::Wait {
            let published = simulator.status().counters.trades;
            assert!(published < 200_000, "the tape did not wait");
            while received < 200_000 {
                client.next_text().await.unwrap();
                received += 1;
            }
            assert_eq!(simulator.status().counters.slow_clients_cut, 0);
        } else {
            while client.next_text().await.is_some() {
                received += 1;
            }
            assert!(received < 200_000);
            assert_eq!(simulator.status().counters.slow_clients_cut, 1);
        }
    }
}
