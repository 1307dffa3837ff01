//! A session: one connection to an exchange that is kept up, whatever happens to it.
//!
//! It dials, sends the first messages, reads whatever the socket holds into batches, hands them to its [`FrameHandler`]
//! and does what that asks for. A lost connection is dialled again after a random pause that grows with each failure.

use std::time::Duration;

use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tracing::{Instrument as _, info, info_span, warn};

use crate::frames::FrameBatch;
use crate::metrics::SessionMetrics;

mod backoff;
mod connection;
mod dial;
mod outbox;
mod status;

pub use backoff::Backoff;
pub use dial::{Dialer, chain};
pub use status::{SessionState, SessionStatus};

/// How to open one connection, and how to keep it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// Where to.
    pub url: String,
    /// Text messages to send first, in order.
    pub messages: Vec<String>,
    /// Time without any frame after which the connection counts as dead.
    pub idle: Duration,
    /// A message to send over and over, and the time between two.
    pub ping: Option<(Duration, String)>,
}

/// What a handler asks of its session after a batch.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reaction {
    /// Text messages to send, in order.
    pub send: Vec<String>,
    /// Give the connection up and dial again, for this reason.
    pub reconnect: Option<String>,
}

/// Takes a session's frames.
pub trait FrameHandler: Send + 'static {
    /// Plans a connection; called before each dial. The error is a sentence.
    fn open(&mut self) -> Result<Plan, String>;

    /// Takes frames, oldest first. While it waits, nothing is read: that is how a full queue holds the exchange back.
    fn frames(&mut self, batch: &FrameBatch, received_at_us: i64) -> impl Future<Output = Reaction> + Send;

    /// The connection broke the protocol in a way that costs a frame; its bytes, if any are known, and what was wrong.
    fn broken(&mut self, frame: &[u8], reason: &str, received_at_us: i64) -> impl Future<Output = ()> + Send;
}

/// What a session is built from.
#[derive(Debug)]
pub struct SessionSettings {
    /// Name, `exchange-number`.
    pub name: String,
    /// How connections are made.
    pub dialer: Dialer,
    /// Pauses between attempts.
    pub backoff: Backoff,
    /// Most frames in a batch.
    pub batch_frames: usize,
    /// Bytes at which a batch is handed over, whatever its number of frames.
    pub batch_bytes: usize,
    /// Shortest time between two messages to the exchange.
    pub send_interval: Duration,
    /// Figures.
    pub metrics: SessionMetrics,
    /// State, for others to see.
    pub status: SessionStatus,
}

/// Why a connection ended.
#[derive(Debug, thiserror::Error)]
enum Ended {
    #[error("the host is shutting down")]
    Shutdown,
    #[error("{0}")]
    Plan(String),
    #[error("no connection to {url}: {reason}")]
    Dial { url: String, reason: String },
    #[error("the connection was lost: {0}")]
    Lost(String),
    #[error("the exchange closed the connection{0}")]
    Closed(String),
    #[error("nothing came for {} s", .0.as_secs_f32())]
    Idle(Duration),
    #[error("{0}")]
    Asked(String),
}

/// Keeps a session up until `shutdown`.
pub async fn run(mut handler: impl FrameHandler, settings: SessionSettings, shutdown: CancellationToken) {
    let span = info_span!("session", id = settings.name);
    async {
        let mut pauses = settings.backoff.pauses();
        loop {
            let began = Instant::now();
            let ended = connect_and_read(&mut handler, &settings, &shutdown).await;
            settings.metrics.connected.set(0);
            settings.metrics.subscribed.set(0);
            if matches!(ended, Ended::Shutdown) {
                settings.status.set(SessionState::Stopped);
                return info!("stopped");
            }
            settings.metrics.reconnects.inc();
            if settings.status.was_live() && began.elapsed() > settings.backoff.settled() {
                pauses = settings.backoff.pauses();
            }
            settings.status.set(SessionState::BackingOff);
            let pause = pauses.next_pause();
            warn!(reason = %ended, pause_ms = pause.as_millis() as u64, "reconnecting");
            tokio::select! {
                () = tokio::time::sleep(pause) => {}
                () = shutdown.cancelled() => {}
            }
        }
    }
    .instrument(span)
    .await;
}

async fn connect_and_read(
    handler: &mut impl FrameHandler,
    settings: &SessionSettings,
    shutdown: &CancellationToken,
) -> Ended {
    if shutdown.is_cancelled() {
        return Ended::Shutdown;
    }
    settings.status.set(SessionState::Connecting);
    let plan = match handler.open() {
        Ok(plan) => plan,
        Err(reason) => return Ended::Plan(reason),
    };
    let dialled = tokio::select! {
        dialled = settings.dialer.dial(&plan.url) => dialled,
        () = shutdown.cancelled() => return Ended::Shutdown,
    };
    let socket = match dialled {
        Ok(socket) => socket,
        Err(reason) => return Ended::Dial { url: plan.url, reason },
    };
    settings.metrics.connected.set(1);
    settings.status.set(SessionState::Live);
    info!(url = plan.url, "connected");
    connection::read(socket, plan, handler, settings, shutdown).await
}
