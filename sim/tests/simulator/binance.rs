//! Binance's socket.

use std::time::Duration;

use serde_json::json;
use tapedeck_sim::{Exchange, Fault, Simulator, SimulatorOptions, UnknownStreams};
use tokio_tungstenite::tungstenite::Message;

use crate::client::{Client, get_json, options, read_binance, told};

async fn quiet(change: impl FnOnce(&mut SimulatorOptions)) -> Simulator {
    let mut options = options(Exchange::Binance, &["BTC/USDT", "ETH/USDT"], 1_000);
    options.autostart = false;
    change(&mut options);
    Simulator::start(options).await.unwrap()
}

#[tokio::test]
async fn a_combined_stream_gets_every_trade_once_and_in_order() {
    let simulator = Simulator::start(options(Exchange::Binance, &["BTC/USDT", "ETH/USDT"], 20_000)).await.unwrap();
    let mut client = Client::connect(&simulator, "/stream?streams=btcusdt@trade/ethusdt@trade").await;
    let mut received = [Vec::new(), Vec::new()];
    for _ in 0..20_000 {
        let frame = client.next_json().await;
        let market = usize::from(frame["stream"] == "ethusdt@trade");
        assert_eq!(frame["data"]["s"], ["BTCUSDT", "ETHUSDT"][market]);
        assert_eq!(frame["data"]["e"], "trade");
        received[market].push(read_binance(&frame["data"]));
    }
    simulator.wait_until_finished().await;
    let truth: Vec<_> = simulator.truth().iter().map(told).collect();
    assert!(received.concat() == truth, "frames and truth differ");
    assert_eq!(truth.len(), 20_000);
    let status = simulator.status();
    assert_eq!(
        (status.counters.trades, status.counters.trades_sent, status.counters.frames_sent),
        (20_000, 20_000, 20_000)
    );
}

#[tokio::test]
async fn raw_streams_and_microseconds() {
    let simulator = Simulator::start(options(Exchange::Binance, &["BTC/USDT"], 1)).await.unwrap();
    let mut raw = Client::connect(&simulator, "/ws/btcusdt@trade?timeUnit=MICROSECOND").await;
    let frame = raw.next_json().await;
    assert_eq!(frame["t"], simulator.truth()[0].trade.id);
    assert_eq!(frame["T"], simulator.truth()[0].trade.timestamp_us);
    assert!(frame.get("stream").is_none());
}

#[tokio::test]
async fn aggregates_sum_what_the_trades_say() {
    let simulator = Simulator::start(options(Exchange::Binance, &["BTC/USDT"], 5_000)).await.unwrap();
    let mut client = Client::connect(&simulator, "/ws/btcusdt@aggTrade").await;
    let mut next_trade = 0;
    let mut last_aggregate = None;
    while next_trade < 5_000 {
        let frame = client.next_json().await;
        let truth = simulator.truth();
        let (first, last) = (frame["f"].as_u64().unwrap(), frame["l"].as_u64().unwrap());
        let fills = &truth[next_trade..next_trade + (last - first + 1) as usize];
        assert_eq!((fills[0].trade.id, fills[fills.len() - 1].trade.id), (first, last));
        assert!(fills.iter().all(|fill| json!(fill.trade.price_text()) == frame["p"]));
        let sum: u64 = fills.iter().map(|fill| fill.trade.quantity).sum();
        let quantity = frame["q"].as_str().unwrap().replace('.', "").parse::<u64>().unwrap();
        assert_eq!(quantity, sum);
        let aggregate = frame["a"].as_u64().unwrap();
        assert!(last_aggregate.is_none_or(|last| last + 1 == aggregate));
        (last_aggregate, next_trade) = (Some(aggregate), next_trade + fills.len());
    }
    assert_eq!(simulator.status().counters.trades_sent, 5_000);
}

#[tokio::test]
async fn requests_are_answered() {
    let simulator = quiet(|options| options.messages_per_second = 0).await;
    let mut client = Client::connect(&simulator, "/ws").await;
    let success = |id: u64| json!({ "result": null, "id": id });
    assert_eq!(
        client.ask(r#"{"method":"SUBSCRIBE","params":["btcusdt@trade","nosuch@trade"],"id":1}"#).await,
        success(1)
    );
    let listed = client.ask(r#"{"method":"LIST_SUBSCRIPTIONS","id":"x"}"#).await;
    assert_eq!(listed, json!({ "result": ["btcusdt@trade", "nosuch@trade"], "id": "x" }));
    assert_eq!(simulator.status().subscribed_markets, 1);
    assert_eq!(
        client.ask(r#"{"method":"GET_PROPERTY","params":["combined"],"id":2}"#).await,
        json!({ "result": false, "id": 2 })
    );
    assert_eq!(client.ask(r#"{"method":"SET_PROPERTY","params":["combined",true],"id":3}"#).await, success(3));
    assert_eq!(client.ask(r#"{"method":"UNSUBSCRIBE","params":["nosuch@trade"],"id":4}"#).await, success(4));
    assert_eq!(client.ask("{").await["code"], 3);
    assert_eq!(client.ask(r#"{"method":"SUBSCRIBE","params":["ethusdt@trade"]}"#).await["code"], 2);
    assert_eq!(client.ask(r#"{"method":"SUBSCRIBE","params":["ethusdt@trade"],"id":5}"#).await, success(5));
    simulator.start_publishing();
    let frame = client.next_json().await;
    assert!(frame["stream"].is_string(), "the property combined was set: {frame}");
}

#[tokio::test]
async fn unknown_streams_are_refused_where_asked_for() {
    let simulator = quiet(|options| options.unknown_streams = UnknownStreams::Refuse).await;
    let mut client = Client::connect(&simulator, "/stream").await;
    let answer = client.ask(r#"{"method":"SUBSCRIBE","params":["btcusdt@trade","nosuch@trade"],"id":1}"#).await;
    assert_eq!(answer, json!({ "code": 2, "msg": "Invalid request: invalid stream", "id": 1 }));
    assert_eq!(simulator.status().subscribed_markets, 0);
}

#[tokio::test]
async fn a_sixth_message_in_a_second_ends_the_connection() {
    let simulator = quiet(|_| {}).await;
    let mut client = Client::connect(&simulator, "/ws").await;
    for id in 0..5 {
        assert_eq!(client.ask(&format!(r#"{{"method":"LIST_SUBSCRIPTIONS","id":{id}}}"#)).await["id"], id);
    }
    client.send_message(Message::Ping("x".into())).await;
    let message = client.next_message().await;
    assert!(
        matches!(&message, Some(Message::Close(Some(frame))) if frame.reason == "Too many requests"),
        "{message:?}"
    );
    assert!(client.ended().await);
    assert_eq!(simulator.status().counters.rule_breakers_cut, 1);
}

#[tokio::test]
async fn no_more_than_so_many_streams_and_connections() {
    let simulator =
        quiet(|options| (options.streams_per_connection, options.connections_per_five_minutes) = (3, 2)).await;
    let mut client = Client::connect(&simulator, "/ws/btcusdt@trade/ethusdt@trade").await;
    let answer = client.ask(r#"{"method":"SUBSCRIBE","params":["a@trade","b@trade"],"id":1}"#).await;
    assert_eq!(answer["msg"], "Invalid request: too many subscriptions");
    assert_eq!(client.ask(r#"{"method":"SUBSCRIBE","params":["a@trade","btcusdt@trade"],"id":2}"#).await["id"], 2);
    let url = |path: &str| format!("{}{path}", simulator.ws_url());
    let refused = tokio_tungstenite::connect_async(url("/stream?streams=a/b/c/d")).await;
    assert!(refused.is_err_and(|error| error.to_string().contains("400")));
    let _second = Client::connect(&simulator, "/ws").await;
    let refused = tokio_tungstenite::connect_async(url("/ws")).await;
    assert!(refused.is_err_and(|error| error.to_string().contains("429")));
}

#[tokio::test]
async fn pings_want_their_payload_back() {
    let simulator = quiet(|options| {
        options.ping_interval = Some(Duration::from_millis(50));
        options.pong_timeout = Duration::from_millis(400);
        options.messages_per_second = 0;
    })
    .await;
    let mut polite = Client::connect(&simulator, "/ws").await;
    // An unsolicited pong does no harm. From then on the client's library answers with the payload.
    polite.send_message(Message::Pong("".into())).await;
    let mut pings = 0;
    while pings < 16 {
        if let Some(Message::Ping(payload)) = polite.next_message().await {
            assert!(String::from_utf8_lossy(&payload).starts_with("1723161255"), "a time of the simulated clock");
            pings += 1;
        }
    }
    assert_eq!(simulator.status().counters.rule_breakers_cut, 0);
    drop(polite);
    // A client that does not read answers no ping, and pongs of its own do not help it.
    let mut rude = Client::connect(&simulator, "/ws").await;
    let connected = std::time::Instant::now();
    while simulator.status().counters.rule_breakers_cut == 0 {
        let _ = rude.try_send(Message::Pong("17".into())).await;
        tokio::time::sleep(Duration::from_millis(20)).await;
        assert!(connected.elapsed() < Duration::from_secs(5), "not cut");
    }
    assert!(connected.elapsed() >= Duration::from_millis(400));
}

#[tokio::test]
async fn a_lifetime_ends_with_a_notice() {
    let simulator = quiet(|options| {
        options.lifetime = Some(Duration::from_millis(400));
        options.shutdown_lead = Duration::from_millis(200);
    })
    .await;
    let mut combined = Client::connect(&simulator, "/stream").await;
    let mut raw = Client::connect(&simulator, "/ws").await;
    let notice = combined.next_json().await;
    assert_eq!((&notice["stream"], &notice["data"]["e"]), (&json!("!serverShutdown"), &json!("serverShutdown")));
    assert_eq!(raw.next_json().await["e"], "serverShutdown");
    assert!(combined.next_text().await.is_none() && raw.next_text().await.is_none());
}

#[tokio::test]
async fn a_shutdown_by_order_has_a_notice_too() {
    let simulator = quiet(|options| options.shutdown_lead = Duration::from_millis(200)).await;
    let mut client = Client::connect(&simulator, "/ws").await;
    assert_eq!(client.ask(r#"{"method":"LIST_SUBSCRIPTIONS","id":1}"#).await["id"], 1);
    simulator.inject(Fault::Shutdown).unwrap();
    assert_eq!(client.next_json().await["e"], "serverShutdown");
    assert!(client.next_text().await.is_none());
    while get_json(&simulator, "/sim/status").await["connections"] != 0 {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}
