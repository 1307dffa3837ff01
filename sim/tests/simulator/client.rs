//! A WebSocket client, an HTTP client, and what tests ask of them.

use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use serde_json::Value;
use tapedeck_sim::{Exchange, Simulator, SimulatorOptions, TruthTrade};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::{Message, Utf8Bytes};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

/// Time after which a message counts as missing.
const PATIENCE: Duration = Duration::from_secs(10);

pub(crate) struct Client {
    socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
}

impl Client {
    pub(crate) async fn connect(simulator: &Simulator, path: &str) -> Self {
        let (socket, _) = connect_async(format!("{}{path}", simulator.ws_url())).await.unwrap();
        Self { socket }
    }

    pub(crate) async fn send(&mut self, text: &str) {
        self.send_message(Message::text(text)).await;
    }

    pub(crate) async fn send_message(&mut self, message: Message) {
        self.try_send(message).await.unwrap();
    }

    /// Sends a message that may come too late.
    pub(crate) async fn try_send(&mut self, message: Message) -> Result<(), tokio_tungstenite::tungstenite::Error> {
        self.socket.send(message).await
    }

    /// The next message of any kind; none once the connection has ended.
    pub(crate) async fn next_message(&mut self) -> Option<Message> {
        let message = tokio::time::timeout(PATIENCE, self.socket.next()).await.expect("a message in time");
        message.and_then(Result::ok)
    }

    /// The next text; none once the connection has ended.
    pub(crate) async fn next_text(&mut self) -> Option<Utf8Bytes> {
        loop {
            match self.next_message().await? {
                Message::Text(text) => return Some(text),
                Message::Close(_) => return None,
                _ => {}
            }
        }
    }

    /// The next text as JSON.
    pub(crate) async fn next_json(&mut self) -> Value {
        serde_json::from_str(&self.next_text().await.expect("the connection is open")).unwrap()
    }

    /// Sends a request, and returns the next message that is no trade.
    pub(crate) async fn ask(&mut self, text: &str) -> Value {
        self.send(text).await;
        self.next_json().await
    }

    /// Reads to the connection's end; true if nothing but market data, pings and a close frame came.
    pub(crate) async fn ended(&mut self) -> bool {
        while self.next_message().await.is_some() {}
        true
    }

    /// Whether nothing comes for so long.
    pub(crate) async fn is_silent_for(&mut self, time: Duration) -> bool {
        tokio::time::timeout(time, self.socket.next()).await.is_err()
    }
}

/// Options for tests: a fixed clock, and publishing only once all markets are subscribed.
pub(crate) fn options(exchange: Exchange, markets: &[&str], trades: u64) -> SimulatorOptions {
    let mut options = SimulatorOptions::new(exchange).with_markets(markets.iter().copied()).unwrap();
    options.trades = Some(trades);
    options.rate = tapedeck_sim::Rate::Max;
    options.seed = 7;
    options.clock_start_us = Some(1_723_161_255_000_000);
    options.wait_for_subscribers = markets.len();
    options
}

/// One HTTP request: status, headers in lower case, and body.
pub(crate) async fn http(
    simulator: &Simulator,
    method: &str,
    path: &str,
    headers: &str,
    body: &str,
) -> (u16, String, String) {
    let mut socket = TcpStream::connect(simulator.address()).await.unwrap();
    let length = body.len();
    let request = format!(
        "{method} {path} HTTP/1.1\r\nhost: sim\r\nconnection: close\r\ncontent-length: {length}\r\n{headers}\r\n{body}"
    );
    socket.write_all(request.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    socket.read_to_end(&mut answer).await.unwrap();
    let answer = String::from_utf8(answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    let head = head.to_lowercase();
    let body = if head.contains("transfer-encoding: chunked") { unchunked(body) } else { body.to_owned() };
    (status, head, body)
}

fn unchunked(mut body: &str) -> String {
    let mut whole = String::new();
    while let Some((size, rest)) = body.split_once("\r\n") {
        let size = usize::from_str_radix(size, 16).unwrap();
        whole.push_str(&rest[..size]);
        body = &rest[(size + 2).min(rest.len())..];
    }
    whole
}

/// GET, as JSON.
pub(crate) async fn get_json(simulator: &Simulator, path: &str) -> Value {
    let (_, _, body) = http(simulator, "GET", path, "", "").await;
    serde_json::from_str(&body).unwrap_or_else(|error| panic!("{path}: {error}: {body}"))
}

/// What a trade says, however it came: id, price, quantity, taker's side, time.
pub(crate) type Told = (u64, String, String, &'static str, i64);

pub(crate) fn told(truth: &TruthTrade) -> Told {
    let trade = &truth.trade;
    (trade.id, trade.price_text(), trade.quantity_text(), trade.side.name(), trade.timestamp_us)
}

/// Reads a Binance trade event (without its wrapping), times in milliseconds.
pub(crate) fn read_binance(event: &Value) -> Told {
    let text = |key: &str| event[key].as_str().unwrap().to_owned();
    let side = if event["m"].as_bool().unwrap() { "SELL" } else { "BUY" };
    (event["t"].as_u64().unwrap(), text("p"), text("q"), side, event["T"].as_i64().unwrap() * 1_000)
}

/// Reads the raw text of a row of Kraken's trade channel, since numbers must keep their digits.
pub(crate) fn read_kraken(row: &str) -> Told {
    let after = |key: &str| row.split_once(key).unwrap().1;
    let number = |key: &str| after(key).split([',', '}']).next().unwrap().to_owned();
    let side = if row.contains("\"side\":\"buy\"") { "BUY" } else { "SELL" };
    let time = after("\"timestamp\":\"").split('"').next().unwrap();
    let time_us = time.parse::<jiff::Timestamp>().unwrap().as_microsecond();
    (number("\"trade_id\":").parse().unwrap(), number("\"price\":"), number("\"qty\":"), side, time_us)
}

/// The rows of one of Kraken's trade frames.
pub(crate) fn kraken_rows(frame: &str) -> Vec<Told> {
    let data = frame.split_once("\"data\":[").unwrap().1.trim_end_matches("]}");
    data.split_inclusive('}').map(|row| read_kraken(row.trim_start_matches(','))).collect()
}
