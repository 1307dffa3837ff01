//! A session: connections to an exchange for one set of markets, kept up whatever happens to them.
//!
//! Each connection is a task of its own with a [`FrameHandler`] of its own: it dials, sends the first messages, reads
//! whatever the socket holds into batches, hands them to the handler and does what that asks for. Over them stands one
//! state machine a session, which decides when a connection is opened and when one is closed: a lost one is replaced after
//! a random pause that grows with each failure, and one that is about to end is replaced before it does.

use std::time::Duration;

use crate::frames::FrameBatch;
use crate::metrics::SessionMetrics;

mod answers;
mod backoff;
mod budget;
mod connection;
mod dial;
mod keepalive;
mod machine;
mod outbox;
mod slot;
mod status;

pub use backoff::Backoff;
pub use budget::{Allowance, Budgets};
pub use dial::{Dialer, chain};
#[cfg(test)]
pub(crate) use dial::{Network, Pipe, Watch};
pub use slot::run;
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
    /// Markets that the first messages subscribe to, each of which the exchange is to answer for. With 0 the connection
    /// counts as live once it is up.
    pub markets: u32,
}

/// What a handler asks of its session after a batch.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reaction {
    /// Text messages to send, in order.
    pub send: Vec<String>,
    /// Replace the connection by another, for this reason; until that one is live, this one goes on.
    pub reconnect: Option<String>,
    /// The connection is of no more use, for this reason: end it.
    pub give_up: Option<String>,
    /// What the exchange has answered so far, if that has changed.
    pub subscriptions: Option<Subscriptions>,
}

/// How far a connection's subscriptions are. Every market of the plan is counted once.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Subscriptions {
    /// Markets that the exchange has confirmed.
    pub confirmed: u32,
    /// Markets that it has refused.
    pub refused: u32,
    /// Markets without an answer, of which trades came nevertheless.
    pub trading: u32,
    /// Markets of which nothing came.
    pub missing: u32,
    /// Some of those, by name.
    pub missing_names: String,
}

/// Takes the frames of one connection.
pub trait FrameHandler: Send + 'static {
    /// Plans the connection; called once, before the dial. The error is a sentence.
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
    /// Messages that the exchange takes.
    pub messages: Allowance,
    /// Connection attempts that the exchange takes from one address.
    pub connects: Allowance,
    /// Who counts both; shared by all sessions.
    pub budgets: Budgets,
    /// Age at which the exchange cuts a connection; none if it does not.
    pub lifetime: Option<Duration>,
    /// How long an answer to a subscription may take, from the message or answer before it.
    pub answer: Duration,
    /// How long a connection goes on beside the one that replaces it. What was published before that one was up may still be
    /// on its way here.
    pub overlap: Duration,
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
    #[error("the exchange confirmed none of {0} subscriptions within {secs} s", secs = .1.as_secs_f32())]
    Unanswered(u32, Duration),
    #[error("{0}")]
    GivenUp(String),
    #[error("another connection took its place")]
    Replaced,
}
