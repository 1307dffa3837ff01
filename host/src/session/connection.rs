//! One connection, from its plan to its end.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::task::Poll;
use std::time::Duration;

use futures_util::{FutureExt as _, SinkExt as _, Stream as _, StreamExt as _};
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until, timeout, timeout_at};
use tokio_tungstenite::tungstenite::error::ProtocolError;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_util::sync::CancellationToken;
use tracing::{debug, info};

use super::answers::Answers;
use super::dial::{Socket, chain};
use super::outbox::Outbox;
use super::slot::{Happened, Report};
use super::{Ended, FrameHandler, Plan, Reaction, SessionSettings, keepalive};
use crate::clock::now_us;
use crate::frames::FrameBatch;
use crate::net::shown_text;

/// How long the exchange may take to answer our close, and to send what it had sent before.
const CLOSE_PATIENCE: Duration = Duration::from_secs(1);

/// Memory that a batch keeps between two uses.
const BATCH_KEEPS_BYTES: usize = 1 << 20;

/// What a connection is given.
pub(super) struct Connection {
    /// Its number in its session, from 1.
    pub(super) number: u64,
    pub(super) settings: Arc<SessionSettings>,
    /// Where its session hears of it.
    pub(super) reports: mpsc::Sender<Report>,
    /// Whether the exchange was ever seen to confirm a subscription.
    pub(super) confirms: Arc<AtomicBool>,
    pub(super) leave: Leave,
}

/// How a connection is told to end.
pub(super) struct Leave {
    /// The host shuts down.
    pub(super) shutdown: CancellationToken,
    /// Another connection takes over, or stays.
    pub(super) replaced: CancellationToken,
}

impl Leave {
    async fn told(&self) -> Ended {
        tokio::select! {
            biased;
            () = self.shutdown.cancelled() => Ended::Shutdown,
            () = self.replaced.cancelled() => Ended::Replaced,
        }
    }
}

impl Connection {
    /// Dials, and reads until the connection ends.
    pub(super) async fn run(self, mut handler: impl FrameHandler) -> Ended {
        let plan = match handler.open() {
            Ok(plan) => plan,
            Err(reason) => return Ended::Plan(reason),
        };
        let socket = tokio::select! {
            biased;
            ended = self.leave.told() => return ended,
            dialled = self.dial(&plan.url) => match dialled {
                Ok(socket) => socket,
                Err(reason) => return Ended::Dial { url: shown_text(&plan.url), reason },
            },
        };
        info!(connection = self.number, url = shown_text(&plan.url), "connected");
        keepalive::watch(&socket, plan.idle);
        self.tell(Happened::Connected).await;
        let now = Instant::now();
        let budget = self.settings.budgets.messages(&plan.url, self.settings.messages);
        let mut open = Open {
            outbox: Outbox::new(budget, self.settings.metrics.send_queue.clone()),
            asks_first: !plan.messages.is_empty(),
            answers: Answers::new(plan.markets, self.settings.answer, Arc::clone(&self.confirms), now),
            ping_at: plan.ping.as_ref().map(|(interval, _)| now + *interval),
            socket,
            plan,
            connection: self,
            heard: now,
            asked: false,
            batch: FrameBatch::default(),
        };
        let ended = open.live(&mut handler).await;
        match ended {
            Ended::Replaced => open.read_out(&mut handler).await,
            Ended::Shutdown | Ended::GivenUp(_) | Ended::Idle(_) | Ended::Unanswered(..) => open.close().await,
            _ => {}
        }
        ended
    }

    /// Dials when the exchange's budget allows it.
    async fn dial(&self, url: &str) -> Result<Socket, String> {
        self.settings.budgets.attempt(url, self.settings.connects).await;
        self.settings.dialer.dial(url).await
    }

    async fn tell(&self, what: Happened) {
        // Nobody listens only when the session is gone, and this task with it.
        let _ = self.reports.send(Report { connection: self.number, what }).await;
    }
}

/// A connection that is up.
struct Open {
    connection: Connection,
    socket: Socket,
    outbox: Outbox,
    plan: Plan,
    answers: Answers,
    /// Whether the first message still waits for its turn.
    asks_first: bool,
    /// When the newest frame came, of whatever kind.
    heard: Instant,
    ping_at: Option<Instant>,
    /// Whether the exchange has asked for another connection.
    asked: bool,
    batch: FrameBatch,
}

/// What a look at the socket brought, besides frames in the batch.
enum Look {
    /// Read on.
    More,
    /// The socket holds no more, or the batch is full.
    Enough,
    /// The connection is over; what is in the batch still counts.
    Over(Ended),
    /// As above, and the exchange broke the protocol with a frame.
    Broken(String),
}

impl Open {
    async fn live(&mut self, handler: &mut impl FrameHandler) -> Ended {
        let first = std::mem::take(&mut self.plan.messages);
        if !self.outbox.push(first) {
            return Ended::Plan("the plugin wants to send more first messages than there is room for".to_owned());
        }
        if let Some(ended) = self.judge_answers(Instant::now()).await {
            return ended;
        }
        loop {
            let dead = self.heard + self.plan.idle;
            let answers = self.answers.deadline(&self.outbox);
            let due = [self.outbox.due(), self.ping_at, answers].into_iter().flatten().fold(dead, Instant::min);
            tokio::select! {
                biased;
                ended = self.connection.leave.told() => return ended,
                message = self.socket.next() => {
                    if let Some(ended) = self.take_in(message, handler).await {
                        return ended;
                    }
                }
                () = sleep_until(due) => {
                    if let Some(ended) = self.on_time().await {
                        return ended;
                    }
                }
            }
        }
    }

    /// Says good-bye.
    async fn close(&mut self) {
        let _ = timeout(CLOSE_PATIENCE, self.socket.close(None)).await;
    }

    /// Says good-bye, and takes what the exchange had sent before it heard that.
    async fn read_out(&mut self, handler: &mut impl FrameHandler) {
        let deadline = Instant::now() + CLOSE_PATIENCE;
        if !matches!(timeout_at(deadline, self.socket.close(None)).await, Ok(Ok(()))) {
            return;
        }
        // A batch that is being handed over is never abandoned: only the waiting is bounded.
        while let Ok(message) = timeout_at(deadline, self.socket.next()).await {
            if self.take_in(message, handler).await.is_some() {
                return;
            }
        }
    }

    /// Sends what is due, or finds the connection dead.
    async fn on_time(&mut self) -> Option<Ended> {
        let now = Instant::now();
        if self.asks_first {
            // Before it is asked for anything, the exchange may be silent.
            self.heard = now;
        }
        if now >= self.heard + self.plan.idle {
            return Some(Ended::Idle(self.plan.idle));
        }
        if self.ping_at.is_some_and(|at| at <= now)
            && let Some((interval, message)) = &self.plan.ping
        {
            self.ping_at = Some(now + *interval);
            // Where messages wait already, they are the sign of life.
            if self.outbox.due().is_none() {
                let _ = self.outbox.push([message.clone()]);
            }
        }
        if self.outbox.due().is_some_and(|due| due <= now)
            && let Some(message) = self.outbox.take()
        {
            self.asks_first = false;
            debug!(message, "sending");
            self.answers.sent(self.outbox.due().is_none(), now);
            return self.send(Message::text(message)).await;
        }
        self.judge_answers(now).await
    }

    /// Tells the session how far the subscriptions are, if that has changed or time is up.
    async fn judge_answers(&mut self, now: Instant) -> Option<Ended> {
        match self.answers.judge(&self.outbox, now) {
            Ok(Some(happened)) => self.connection.tell(happened).await,
            Ok(None) => {}
            Err(ended) => return Some(ended),
        }
        None
    }

    async fn send(&mut self, message: Message) -> Option<Ended> {
        match timeout(self.plan.idle, self.socket.send(message)).await {
            Ok(Ok(())) => None,
            Ok(Err(error)) => Some(Ended::Lost(chain(&error))),
            Err(_) => Some(Ended::Idle(self.plan.idle)),
        }
    }

    /// Takes a message and whatever else the socket holds, and hands the frames over.
    async fn take_in(
        &mut self,
        message: Option<Result<Message, Error>>,
        handler: &mut impl FrameHandler,
    ) -> Option<Ended> {
        self.batch.clear();
        self.batch.shrink_to(BATCH_KEEPS_BYTES);
        self.heard = Instant::now();
        let mut look = self.look(message);
        while matches!(look, Look::More) {
            look = match self.next_ready().await {
                Some(message) => self.look(message),
                None => Look::Enough,
            };
        }
        let received_at_us = now_us();
        if !self.batch.is_empty() {
            let metrics = &self.connection.settings.metrics;
            metrics.frames.inc_by(self.batch.len() as u64);
            metrics.frame_bytes.inc_by(self.batch.bytes().len() as u64);
            let reaction = handler.frames(&self.batch, received_at_us).await;
            // Time spent waiting for room in Kafka's queue is not the exchange's silence.
            self.heard = Instant::now();
            if let Some(ended) = self.react(reaction).await {
                return Some(ended);
            }
        }
        match look {
            Look::More | Look::Enough => None,
            Look::Over(ended) => Some(ended),
            Look::Broken(reason) => {
                handler.broken(&[], &reason, received_at_us).await;
                Some(Ended::Lost(reason))
            }
        }
    }

    /// The next message if the socket has one already. Frames that lie in the buffer are taken without a system call.
    async fn next_ready(&mut self) -> Option<Option<Result<Message, Error>>> {
        std::future::poll_fn(|context| {
            Poll::Ready(match std::pin::Pin::new(&mut self.socket).poll_next(context) {
                Poll::Ready(message) => Some(message),
                Poll::Pending => None,
            })
        })
        .await
    }

    fn look(&mut self, message: Option<Result<Message, Error>>) -> Look {
        match message {
            Some(Ok(Message::Text(text))) => self.keep(text.as_bytes()),
            Some(Ok(Message::Binary(bytes))) => self.keep(&bytes),
            // The answer, with the ping's payload, is queued already; it must not wait for the next thing we send.
            Some(Ok(Message::Ping(_))) => match self.socket.flush().now_or_never() {
                Some(Err(error)) => Look::Over(Ended::Lost(chain(&error))),
                Some(Ok(())) | None => Look::More,
            },
            Some(Ok(Message::Pong(_) | Message::Frame(_))) => Look::More,
            Some(Ok(Message::Close(frame))) => Look::Over(Ended::Closed(close_reason(frame.as_ref()))),
            Some(Err(Error::Protocol(ProtocolError::ResetWithoutClosingHandshake))) => {
                Look::Over(Ended::Lost("it was cut without a word".to_owned()))
            }
            Some(Err(error @ (Error::Utf8(_) | Error::Capacity(_) | Error::Protocol(_)))) => {
                Look::Broken(chain(&error))
            }
            Some(Err(error)) => Look::Over(Ended::Lost(chain(&error))),
            None => Look::Over(Ended::Closed(String::new())),
        }
    }

    fn keep(&mut self, payload: &[u8]) -> Look {
        if !self.batch.push(payload) {
            return Look::Broken(format!("a frame of {} bytes finds no room in a batch", payload.len()));
        }
        let settings = &self.connection.settings;
        let full = self.batch.len() >= settings.batch_frames || self.batch.bytes().len() >= settings.batch_bytes;
        if full { Look::Enough } else { Look::More }
    }

    async fn react(&mut self, reaction: Reaction) -> Option<Ended> {
        if let Some(reason) = reaction.give_up {
            return Some(Ended::GivenUp(reason));
        }
        if !reaction.send.is_empty() && !self.outbox.push(reaction.send) {
            return Some(Ended::Lost("messages to the exchange pile up".to_owned()));
        }
        let now = Instant::now();
        self.answers.heard();
        if let Some(subscriptions) = reaction.subscriptions {
            self.answers.came(subscriptions, now);
        }
        if let Some(ended) = self.judge_answers(now).await {
            return Some(ended);
        }
        if let Some(reason) = reaction.reconnect.filter(|_| !self.asked) {
            self.asked = true;
            self.connection.tell(Happened::Asked(reason)).await;
        }
        None
    }
}

fn close_reason(frame: Option<&CloseFrame>) -> String {
    match frame {
        Some(frame) if frame.reason.is_empty() => format!(" (code {})", u16::from(frame.code)),
        Some(frame) => format!(" (code {}: {})", u16::from(frame.code), frame.reason.as_str().escape_debug()),
        None => String::new(),
    }
}
