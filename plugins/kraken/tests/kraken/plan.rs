//! Description and session plan.

use tapedeck_plugin_kraken::Kraken;
use tapedeck_sdk::testing::Opening;
use tapedeck_sdk::{Plugin, SessionPlan};

fn plan(opening: Opening) -> SessionPlan {
    opening.open::<Kraken>().unwrap().plan
}

fn refusal(opening: Opening) -> (Option<u32>, String) {
    let error = opening.open::<Kraken>().unwrap_err();
    (error.market, error.reason)
}

#[test]
fn subscribes_to_all_markets_in_one_message() {
    let plan = plan(Opening::new(&["BTC/USD", "ETH/EUR"]));
    assert_eq!(plan.url, "wss://ws.kraken.com/v2");
    assert_eq!(plan.symbols, ["BTC/USD", "ETH/EUR"]);
    let subscribe = r#"{"method":"subscribe","params":{"channel":"trade","symbol":["BTC/USD","ETH/EUR"],"snapshot":true},"req_id":1}"#;
    assert_eq!(plan.messages, [subscribe]);
    assert_eq!(plan.heartbeat.idle, 5_000);
    let ping = plan.heartbeat.ping.unwrap();
    assert_eq!((ping.interval, ping.message.as_str()), (30_000, r#"{"method":"ping"}"#));
}

#[test]
fn a_long_list_takes_several_messages() {
    let names: Vec<String> = (0..200).map(|n| format!("A{n}/USD")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let plan = plan(Opening::new(&names));
    assert_eq!(plan.messages.len(), 2);
    assert!(plan.messages[1].contains(r#""A100/USD""#) && plan.messages[1].ends_with(r#""req_id":2}"#));
    assert!(plan.messages.iter().all(|message| message.len() < 2_000));
}

#[test]
fn honours_what_the_user_sets() {
    let opening = Opening::new(&["BTC/USD"])
        .symbol("XMR/BTC", "XMR/\"XBT\"")
        .endpoint("ws://127.0.0.1:9001/")
        .option("snapshot", "false")
        .option("idle_ms", "2000");
    let plan = plan(opening);
    assert_eq!(plan.url, "ws://127.0.0.1:9001/v2");
    assert_eq!(plan.symbols, ["BTC/USD", "XMR/\"XBT\""]);
    assert!(
        plan.messages[0].contains(r#""symbol":["BTC/USD","XMR/\"XBT\""],"snapshot":false"#),
        "{}",
        plan.messages[0]
    );
    assert_eq!(plan.heartbeat.idle, 2_000);
}

#[test]
fn refuses_what_cannot_be() {
    assert_eq!(refusal(Opening::new(&["BTC/USD", "ETHUSD"])).0, Some(1));
    let (market, reason) = refusal(Opening::new(&["BTC/USD", "BTC/USD"]));
    assert!(market == Some(1) && reason.contains("both spelled"), "{reason}");
    for (name, value, says) in [
        ("snapshot", "maybe", "true, false"),
        ("idle_ms", "10", "from 1000 to 600000"),
        ("depth", "10", "it has snapshot, idle_ms, rest_pairs"),
        ("rest_pairs", "XXBTZUSD", "not MARKET=PAIR"),
        ("rest_pairs", "BTCUSD=XXBTZUSD", "has no `/`"),
    ] {
        let (_, reason) = refusal(Opening::new(&["BTC/USD"]).option(name, value));
        assert!(reason.contains(says), "{reason}");
    }
}

#[test]
fn describes_itself() {
    let description = Kraken::describe();
    assert_eq!((description.name.as_str(), description.exchange.as_str()), ("kraken", "kraken"));
    assert_eq!(description.hosts, ["ws.kraken.com", "api.kraken.com"]);
    assert_eq!(description.version, env!("CARGO_PKG_VERSION"));
    assert!(description.options.iter().all(|option| option.help.ends_with('.')));
}
