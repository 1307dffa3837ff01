//! One client's connection: its reader, its writer, and the exchange's rules about time and manners.

use std::sync::Arc;
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use tokio::net::TcpStream;
use tokio::sync::Notify;
use tokio::time::Instant;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, Role, WebSocketConfig};
use tokio_util::sync::CancellationToken;

use crate::connection::timers::{Due, Timers};
use crate::frame::{Opcode, write_frame};
use crate::hub::Style;
use crate::hub::link::Link;
use crate::options::Exchange;
use crate::outbox::{Outbox, SocketEnds};
use crate::shared::Shared;
use crate::window::Window;
use crate::{binance, kraken};

mod timers;

/// How long a closing connection may take to write what is pending.
const CLOSING_TIME: Duration = Duration::from_secs(1);

/// The largest message that a client may send, in bytes.
const LARGEST_MESSAGE: usize = 1 << 20;

/// What the url asked for.
#[derive(Debug, Default)]
pub(crate) struct Opening {
    pub(crate) style: Style,
    pub(crate) streams: Vec<String>,
}

enum Session {
    Binance(binance::session::Session),
    Kraken(kraken::session::Session),
}

/// Why a connection ends.
enum End {
    /// The client left, or a fault cut it.
    Gone,
    /// The exchange ends it without a word.
    Cut(&'static str),
    /// The exchange says why.
    Closed(&'static str),
}

struct Connection {
    shared: Arc<Shared>,
    session: Session,
    place: usize,
    number: u64,
    outbox: Arc<Outbox>,
    cut: CancellationToken,
    shutdown: Arc<Notify>,
    forgotten: CancellationToken,
    timers: Timers,
    messages: Window,
}

/// Serves a connection until its end. `leftover` was read from the socket behind the handshake.
pub(crate) async fn serve(shared: Arc<Shared>, socket: TcpStream, leftover: Vec<u8>, opening: Opening) {
    let _ = socket.set_nodelay(true);
    let (read, write) = socket.into_split();
    let outbox = Arc::new(Outbox::new(Arc::clone(&shared.drained)));
    let mut connection = Connection::open(shared, Arc::clone(&outbox), opening);
    let writer = tokio::spawn({
        let (outbox, cut) = (Arc::clone(&outbox), connection.cut.clone());
        async move { outbox.write_to(write, &cut).await }
    });
    let ends = SocketEnds { read, outbox: Arc::clone(&outbox) };
    let config = WebSocketConfig::default()
        .read_buffer_size(4 << 10)
        .max_message_size(Some(LARGEST_MESSAGE))
        .max_frame_size(Some(LARGEST_MESSAGE));
    let mut socket = WebSocketStream::from_partially_read(ends, leftover, Role::Server, Some(config)).await;
    let end = connection.run(&mut socket).await;
    match end {
        End::Gone => {}
        End::Cut(reason) => tracing::info!(connection = connection.number, reason, "cut"),
        End::Closed(reason) => {
            tracing::info!(connection = connection.number, reason, "close");
            let frame = CloseFrame { code: CloseCode::Policy, reason: reason.into() };
            let _ = socket.close(Some(frame)).await;
        }
    }
    connection.leave();
    if matches!(end, End::Cut(_)) {
        connection.cut.cancel();
    }
    outbox.close();
    if tokio::time::timeout(CLOSING_TIME, writer).await.is_err() {
        connection.cut.cancel();
    }
}

impl Connection {
    fn open(shared: Arc<Shared>, outbox: Arc<Outbox>, opening: Opening) -> Self {
        let cut = shared.stopping.child_token();
        let mut first_frames = Vec::new();
        let mut hub = shared.hub();
        let number = hub.counters.connections_total + 1;
        let link = Link::new(number, Arc::clone(&outbox), cut.clone(), hub.link_seed());
        let (shutdown, forgotten) = (Arc::clone(&link.shutdown), link.forgotten.clone());
        let place = hub.add_link(link);
        let session = match shared.options.exchange {
            Exchange::Binance => {
                let mut session = binance::session::Session::new(&shared.options, opening.style);
                session.open(&mut hub, place, opening.streams);
                Session::Binance(session)
            }
            Exchange::Kraken => {
                let session = kraken::session::Session::new(number);
                session.open(&mut first_frames);
                Session::Kraken(session)
            }
        };
        outbox.push(&first_frames);
        drop(hub);
        shared.changed.notify_one();
        let timers = Timers::new(&shared.options, Instant::now());
        let messages = Window::new(shared.options.messages_per_second, Duration::from_secs(1));
        Self { shared, session, place, number, outbox, cut, shutdown, forgotten, timers, messages }
    }

    async fn run(&mut self, socket: &mut WebSocketStream<SocketEnds>) -> End {
        loop {
            let (time, due) = self.timers.next();
            tokio::select! {
                () = self.cut.cancelled() => return End::Gone,
                () = self.forgotten.cancelled() => {
                    // Not even the other end's close is noticed.
                    self.cut.cancelled().await;
                    return End::Gone;
                }
                () = self.shutdown.notified() => self.notify_of_shutdown(),
                () = tokio::time::sleep_until(time) => {
                    if let Some(end) = self.on_time(due) {
                        return end;
                    }
                }
                message = socket.next() => {
                    let Some(Ok(message)) = message else { return End::Gone };
                    if let Some(end) = self.on_message(message) {
                        return end;
                    }
                    // A pong that the library wrote in answer waits for this.
                    let _ = socket.flush().await;
                }
            }
        }
    }

    fn on_message(&mut self, message: Message) -> Option<End> {
        let now = Instant::now();
        if !message.is_close() && !self.messages.admit(now) {
            self.shared.hub().counters.rule_breakers_cut += 1;
            return Some(End::Closed("Too many requests"));
        }
        self.timers.heard(now);
        match message {
            Message::Text(text) => self.answer(text.as_str()),
            Message::Binary(bytes) => self.answer(&String::from_utf8_lossy(&bytes)),
            Message::Pong(payload) => self.timers.answered(&payload),
            Message::Ping(_) | Message::Close(_) | Message::Frame(_) => {}
        }
        None
    }

    fn answer(&mut self, text: &str) {
        let mut out = Vec::new();
        {
            let mut hub = self.shared.hub();
            match &mut self.session {
                Session::Binance(session) => session.answer(&mut hub, self.place, text, &mut out),
                Session::Kraken(session) => session.answer(&mut hub, self.place, text, self.shared.now_us(), &mut out),
            }
            // Still under the lock: what is published next comes behind the answer.
            self.outbox.push(&out);
        }
        self.shared.changed.notify_one();
    }

    fn on_time(&mut self, due: Due) -> Option<End> {
        let now = Instant::now();
        match due {
            Due::Ping => {
                let payload = (self.shared.now_us() / 1_000).to_string();
                let mut frame = Vec::with_capacity(32);
                write_frame(&mut frame, Opcode::Ping, payload.as_bytes());
                self.outbox.push(&frame);
                self.timers.pinged(payload, now);
                None
            }
            Due::Heartbeat => {
                if self.has_streams() {
                    self.send(kraken::session::HEARTBEAT);
                }
                self.timers.beat(now);
                None
            }
            Due::Notice => {
                self.notify_of_shutdown();
                self.timers.noticed();
                None
            }
            Due::Idle if self.has_streams() => {
                self.timers.heard(now);
                None
            }
            Due::Idle => self.break_rule("no message and no subscription"),
            Due::NoPong => self.break_rule("no pong"),
            Due::End => Some(End::Cut("end of its lifetime")),
        }
    }

    fn break_rule(&self, reason: &'static str) -> Option<End> {
        self.shared.hub().counters.rule_breakers_cut += 1;
        Some(End::Cut(reason))
    }

    fn has_streams(&self) -> bool {
        self.shared.hub().link(self.place).is_some_and(|link| !link.streams.is_empty())
    }

    fn notify_of_shutdown(&self) {
        let notice = match &self.session {
            Session::Binance(session) => session.shutdown_notice(self.shared.now_us()),
            Session::Kraken(session) => session.shutdown_notice(),
        };
        self.send(&notice);
    }

    fn send(&self, text: &str) {
        let mut frame = Vec::with_capacity(text.len() + 10);
        write_frame(&mut frame, Opcode::Text, text.as_bytes());
        self.outbox.push(&frame);
    }

    fn leave(&self) {
        self.shared.hub().remove_link(self.place);
        self.shared.changed.notify_one();
    }
}
