//! How a session is opened, and what the answers to its subscriptions say.

use tapedeck_plugin_binance::Binance;
use tapedeck_sdk::testing::{self, Opened, Opening};
use tapedeck_sdk::{Plugin, Precision, Rejection, SessionEvent, TradeIds};

fn many(count: usize) -> Opened<Binance> {
    let names: Vec<String> = (0..count).map(|index| format!("COIN{index}/USDT")).collect();
    testing::open(&names.iter().map(String::as_str).collect::<Vec<_>>())
}

#[test]
fn a_session_subscribes_combined_streams_in_lower_case() {
    let session = testing::open::<Binance>(&["BTC/USDT", "ETH/BTC"]);
    assert_eq!(session.plan.url, "wss://stream.binance.com:9443/stream");
    assert_eq!(session.plan.symbols, ["BTCUSDT", "ETHBTC"]);
    assert_eq!(session.plan.messages, [r#"{"method":"SUBSCRIBE","params":["btcusdt@trade","ethbtc@trade"],"id":1}"#]);
    assert!(session.plan.heartbeat.idle >= 60_000 && session.plan.heartbeat.ping.is_none());
}

#[test]
fn options_and_endpoints_choose_stream_unit_and_address() {
    let session = Opening::new(&["BTC/USDT"])
        .option("stream", "aggTrade")
        .option("time_unit", "microsecond")
        .option("service", "market_data")
        .open::<Binance>()
        .unwrap();
    assert_eq!(session.plan.url, "wss://data-stream.binance.vision/stream?timeUnit=MICROSECOND");
    assert_eq!(session.plan.messages, [r#"{"method":"SUBSCRIBE","params":["btcusdt@aggTrade"],"id":1}"#]);
    let session = Opening::new(&["BTC/USDT"]).endpoint("ws://127.0.0.1:9001/").open::<Binance>().unwrap();
    assert_eq!(session.plan.url, "ws://127.0.0.1:9001/stream");
    for (name, value) in [("stream", "trades"), ("time_unit", "us"), ("service", ""), ("streem", "trade")] {
        let error = Opening::new(&["BTC/USDT"]).option(name, value).open::<Binance>().unwrap_err();
        assert!(error.reason.contains(name), "{}", error.reason);
    }
}

#[test]
fn a_spelling_of_the_users_own_and_symbols_that_are_not_ascii() {
    let mut session = Opening::new(&["币安人生/USDT"]).symbol("BTC/USDT", "XBTUSDT").open::<Binance>().unwrap();
    assert_eq!(session.plan.symbols, ["币安人生USDT", "XBTUSDT"]);
    assert_eq!(
        session.plan.messages,
        [r#"{"method":"SUBSCRIBE","params":["币安人生usdt@trade","xbtusdt@trade"],"id":1}"#]
    );
    let frame = r#"{"stream":"币安人生usdt@trade","data":{"e":"trade","E":1,"s":"币安人生USDT","t":3,"p":"0.1","q":"20","T":1755000000127,"m":false,"M":true}}"#;
    let escaped = frame.replace("币安人生", "\\u5e01\\u5b89\\u4eba\\u751f");
    for frame in [frame, &escaped] {
        assert_eq!(session.trades(frame), ["币安人生USDT buy 20 at 0.1, 1755000000127000, id 3"]);
    }
}

#[test]
fn a_market_that_is_none_is_refused_by_its_index() {
    let error = Opening::new(&["BTC/USDT", "ETHUSDT"]).open::<Binance>().unwrap_err();
    assert_eq!(error.market, Some(1));
    assert!(error.reason.contains("ETHUSDT"), "{}", error.reason);
}

#[test]
fn a_full_connection_subscribes_in_a_few_requests_and_each_answer_confirms_its_own() {
    let limits = Binance::describe().limits;
    let mut session = many(limits.subscriptions as usize);
    assert!(session.plan.messages.len() < limits.messages.count as usize, "a ping's answer has to fit in as well");
    let streams: usize = session.plan.messages.iter().map(|message| message.matches("@trade").count()).sum();
    assert_eq!(streams, 1024);
    let mut confirmed = Vec::new();
    for id in (1..=session.plan.messages.len()).rev() {
        for event in session.events(format!(r#"{{"result":null,"id":{id}}}"#)) {
            match event {
                SessionEvent::Subscribed(market) => confirmed.push(market),
                other => panic!("{other:?}"),
            }
        }
    }
    confirmed.sort_unstable();
    assert_eq!(confirmed, (0..1024).collect::<Vec<u32>>());
}

#[test]
fn the_last_request_answers_for_the_markets_that_are_left() {
    let mut session = many(300);
    let events = session.events(r#"{"id":2,"result":null}"#);
    assert_eq!(events, (256..300).map(SessionEvent::Subscribed).collect::<Vec<_>>());
}

#[test]
fn a_refused_request_rejects_its_markets_with_the_exchanges_words() {
    for answer in [
        r#"{"code":2,"msg":"Invalid request: too many parameters","id":1}"#,
        r#"{"id":1,"error":{"code":2,"msg":"Invalid request: too many parameters"}}"#,
    ] {
        let events = many(2).events(answer);
        assert_eq!(events.len(), 2, "{answer}");
        for (index, event) in (0..).zip(events) {
            let SessionEvent::Rejected(Rejection { market, reason }) = event else { panic!("{event:?}") };
            assert_eq!(market, Some(index));
            assert!(reason.contains("too many parameters") && reason.contains("code 2"), "{reason}");
        }
    }
}

#[test]
fn an_error_without_an_id_is_no_single_markets() {
    for answer in [
        r#"{"code":3,"msg":"Invalid JSON: expected value at line 1 column 2"}"#,
        r#"{"code":3,"msg":"Invalid JSON","id":null}"#,
        r#"{"error":"Invalid JSON"}"#,
    ] {
        let events = many(2).events(answer);
        let [SessionEvent::Rejected(Rejection { market: None, reason })] = &events[..] else { panic!("{events:?}") };
        assert!(reason.contains("Invalid JSON"), "{reason}");
    }
}

#[test]
fn a_list_of_subscriptions_confirms_what_it_lists() {
    let events = many(3).events(r#"{"result":["coin2usdt@trade","coin0usdt@depth"],"id":9}"#);
    assert_eq!(events, [SessionEvent::Subscribed(2), SessionEvent::Heartbeat]);
    assert_eq!(many(3).events(r#"{"result":[],"id":1}"#), [SessionEvent::Heartbeat]);
}

#[test]
fn answers_to_what_was_not_asked_are_refused() {
    for answer in [
        r#"{"result":null,"id":7}"#,
        r#"{"result":null,"id":0}"#,
        r#"{"result":null}"#,
        r#"{"result":true,"id":2}"#,
        r#"{"result":null,"id":"1"}"#,
        r#"{"id":"a-b","status":200,"result":{"symbol":"COIN0USDT","price":"1"}}"#,
        r#"{"id":"a-b","status":400,"error":{"code":-2010,"msg":"no"}}"#,
        r#"{"method":"SUBSCRIBE","params":["coin0usdt@trade"],"id":1}"#,
    ] {
        assert!(!many(2).refusal(answer).is_empty(), "{answer}");
    }
}

#[test]
fn the_description_states_the_documented_limits() {
    let description = Binance::describe();
    assert_eq!((description.name.as_str(), description.exchange.as_str()), ("binance", "binance"));
    assert_eq!((description.ids, description.precision), (TradeIds::Dense, Precision::Milliseconds));
    let limits = description.limits;
    assert_eq!(limits.subscriptions, 1024);
    assert_eq!((limits.connects.count, limits.connects.window), (300, 300_000));
    assert_eq!((limits.messages.count, limits.messages.window), (5, 1_000));
    assert_eq!(limits.lifetime, Some(86_400_000));
    assert_eq!(limits.rest.map(|rest| (rest.count, rest.window)), Some((6_000, 60_000)));
    for host in ["stream.binance.com", "api.binance.com"] {
        assert!(description.hosts.iter().any(|own| own == host), "{host}");
    }
    for option in &description.options {
        assert!(!option.help.is_empty() && !option.default.is_empty(), "{}", option.name);
    }
}
