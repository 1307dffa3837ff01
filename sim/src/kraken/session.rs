//! A Kraken client's connection: the answers to its requests.

use serde_json::{Value, json};

use crate::frame::{Opcode, begin_frame, end_frame, write_frame};
use crate::hub::{Hub, Style};
use crate::kraken::frames::{SNAPSHOT, status, write_trades};
use crate::kraken::requests::{Request, parse};
use crate::time::rfc3339;

/// Trades of a snapshot.
const SNAPSHOT_TRADES: usize = 50;

/// A sign of life.
pub(crate) const HEARTBEAT: &str = r#"{"channel":"heartbeat"}"#;

/// A connection.
pub(crate) struct Session {
    connection: u64,
}

impl Session {
    /// A connection with this number over the simulator's life.
    pub(crate) fn new(number: u64) -> Self {
        Self { connection: crate::random::mix(number) }
    }

    /// The first message.
    pub(crate) fn open(&self, out: &mut Vec<u8>) {
        write_frame(out, Opcode::Text, status(self.connection, "online").as_bytes());
    }

    /// Answers a message with frames, one for each symbol in it. The snapshot follows its acknowledgement, and then
    /// come all trades behind it: the hub is locked meanwhile.
    pub(crate) fn answer(&self, hub: &mut Hub, place: usize, text: &str, now_us: i64, out: &mut Vec<u8>) {
        let (request, req_id) = parse(text);
        let send = |out: &mut Vec<u8>, mut message: Value| {
            if let Some(req_id) = req_id {
                message["req_id"] = json!(req_id);
            }
            message["time_in"] = json!(rfc3339(now_us));
            message["time_out"] = json!(rfc3339(now_us + 40));
            write_frame(out, Opcode::Text, message.to_string().as_bytes());
        };
        match request {
            Ok(Request::Ping) => send(out, json!({ "method": "pong" })),
            Ok(Request::Subscribe { symbols, snapshot }) => {
                for symbol in symbols {
                    let subscribed = subscribe(hub, place, &symbol, snapshot);
                    let snapshot_follows = snapshot && subscribed.is_ok();
                    send(out, acknowledgement("subscribe", &symbol, subscribed));
                    if snapshot_follows {
                        write_snapshot(hub, &symbol, out);
                    }
                }
            }
            Ok(Request::Unsubscribe { symbols }) => {
                for symbol in symbols {
                    let subscribed = hub.unsubscribe(place, &symbol);
                    let result = json!({ "channel": "trade", "symbol": symbol });
                    let unsubscribed = if subscribed { Ok(result) } else { Err("Subscription Not Found".to_owned()) };
                    send(out, acknowledgement("unsubscribe", &symbol, unsubscribed));
                }
            }
            Err(refusal) => {
                let mut message = json!({ "success": false, "error": refusal.reason });
                if let Some(method) = refusal.method {
                    message["method"] = json!(method);
                }
                send(out, message);
            }
        }
    }

    /// The message that tells of a cut to come.
    pub(crate) fn shutdown_notice(&self) -> String {
        status(self.connection, "maintenance")
    }
}

fn subscribe(hub: &mut Hub, place: usize, symbol: &str, snapshot: bool) -> Result<Value, String> {
    if !hub.has_stream(symbol) {
        return Err(format!("Currency pair not supported {symbol}"));
    }
    if hub.is_subscribed(place, symbol) {
        return Err("Already subscribed".to_owned());
    }
    hub.subscribe(place, symbol, Style::default());
    Ok(json!({ "channel": "trade", "symbol": symbol, "snapshot": snapshot }))
}

fn acknowledgement(method: &str, symbol: &str, done: Result<Value, String>) -> Value {
    match done {
        Ok(result) => json!({ "method": method, "success": true, "result": result }),
        Err(error) => json!({ "method": method, "success": false, "symbol": symbol, "error": error }),
    }
}

/// Writes the newest trades of a market, unless it has none.
fn write_snapshot(hub: &Hub, symbol: &str, out: &mut Vec<u8>) {
    let Some(market) = hub.market_of_symbol(symbol) else { return };
    let trades = hub.histories[market].newest(SNAPSHOT_TRADES);
    if !trades.is_empty() {
        let start = begin_frame(out);
        write_trades(out, &hub.markets[market], trades, SNAPSHOT);
        end_frame(out, start, Opcode::Text);
    }
}
