//! One connection, from its first message to its end.

use std::task::Poll;

use futures_util::{FutureExt as _, SinkExt as _, Stream as _, StreamExt as _};
use tokio::time::{Instant, sleep_until, timeout};
use tokio_tungstenite::tungstenite::error::ProtocolError;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_util::sync::CancellationToken;
use tracing::debug;

use super::dial::{Socket, chain};
use super::outbox::Outbox;
use super::{Ended, FrameHandler, Plan, Reaction, SessionSettings};
use crate::clock::now_us;
use crate::frames::FrameBatch;

/// How long the exchange may take to answer our close.
const CLOSE_PATIENCE: std::time::Duration = std::time::Duration::from_secs(1);

/// Memory that a batch keeps between two uses.
const BATCH_KEEPS_BYTES: usize = 1 << 20;

/// Reads until the connection ends, and closes it.
pub(super) async fn read(
    socket: Socket,
    plan: Plan,
    handler: &mut impl FrameHandler,
    settings: &SessionSettings,
    shutdown: &CancellationToken,
) -> Ended {
    let outbox = Outbox::new(settings.send_interval, settings.metrics.send_queue.clone());
    let now = Instant::now();
    let ping_at = plan.ping.as_ref().map(|(interval, _)| now + *interval);
    let mut connection =
        Connection { socket, outbox, plan, settings, heard: now, ping_at, batch: FrameBatch::default() };
    let ended = connection.live(handler, shutdown).await;
    settings.metrics.send_queue.set(0);
    if matches!(ended, Ended::Shutdown | Ended::Asked(_) | Ended::Idle(_)) {
        let _ = timeout(CLOSE_PATIENCE, connection.socket.close(None)).await;
    }
    ended
}

struct Connection<'a> {
    socket: Socket,
    outbox: Outbox,
    plan: Plan,
    settings: &'a SessionSettings,
    /// When the newest frame came, of whatever kind.
    heard: Instant,
    ping_at: Option<Instant>,
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

impl Connection<'_> {
    async fn live(&mut self, handler: &mut impl FrameHandler, shutdown: &CancellationToken) -> Ended {
        let first = std::mem::take(&mut self.plan.messages);
        if !self.outbox.push(first) {
            return Ended::Plan("the plugin wants to send more first messages than there is room for".to_owned());
        }
        loop {
            let deadline = self.heard + self.plan.idle;
            let due = [self.outbox.due(), self.ping_at].into_iter().flatten().fold(deadline, Instant::min);
            tokio::select! {
                biased;
                () = shutdown.cancelled() => return Ended::Shutdown,
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

    /// Sends what is due, or finds the connection dead.
    async fn on_time(&mut self) -> Option<Ended> {
        let now = Instant::now();
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
            debug!(message, "sending");
            return self.send(Message::text(message)).await;
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
            self.settings.metrics.frames.inc_by(self.batch.len() as u64);
            self.settings.metrics.frame_bytes.inc_by(self.batch.bytes().len() as u64);
            let reaction = handler.frames(&self.batch, received_at_us).await;
            // Time spent waiting for room in Kafka's queue is not the exchange's silence.
            self.heard = Instant::now();
            if let Some(ended) = self.react(reaction) {
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
        let full =
            self.batch.len() >= self.settings.batch_frames || self.batch.bytes().len() >= self.settings.batch_bytes;
        if full { Look::Enough } else { Look::More }
    }

    fn react(&mut self, reaction: Reaction) -> Option<Ended> {
        if let Some(reason) = reaction.reconnect {
            return Some(Ended::Asked(reason));
        }
        if !reaction.send.is_empty() && !self.outbox.push(reaction.send) {
            return Some(Ended::Lost("messages to the exchange pile up".to_owned()));
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
