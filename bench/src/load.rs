//! The load: one exchange's socket that sends trades faster than any client reads them, or at a fixed rate.
//!
//! It is a process of its own, `blaster`, so that its processor time is nobody else's. Whoever starts it reads its [`Event`]s
//! line by line, and says when it is to begin.

pub mod form;
pub mod frames;
pub mod server;
pub mod source;
pub mod template;
pub mod tick;

use std::time::Duration;

use clap::Args;
use serde::{Deserialize, Serialize};

use crate::moment::Moment;

/// The id of the first trade; those behind it have no holes, and all have ten digits.
pub const FIRST_ID: u64 = 1_600_000_000;

/// The line on a source's stdin that begins the load.
pub const GO: &str = "go";

/// A source that nobody ends ends itself after so long.
pub const LIFETIME: Duration = Duration::from_secs(600);

/// How much is sent.
#[derive(Debug, Clone, Copy, PartialEq, Args)]
pub struct Amount {
    /// For how long trades are sent.
    #[arg(long, default_value_t = 3.0)]
    pub seconds: f64,
    /// Trades a second; as fast as they are taken by default.
    #[arg(long)]
    pub rate: Option<u32>,
    /// Ends after so many trades, even if the time is not over.
    #[arg(long)]
    pub most: Option<u64>,
}

impl Amount {
    /// The most trades that are sent.
    #[must_use]
    pub fn most(&self) -> u64 {
        let by_rate = self.rate.map(|rate| (f64::from(rate) * self.seconds) as u64);
        self.most.unwrap_or(u64::MAX).min(by_rate.unwrap_or(u64::MAX))
    }
}

/// What a source says on its stdout, a line of JSON each.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event {
    /// It waits for a client.
    Listening {
        /// On this port of loopback.
        port: u16,
    },
    /// A client is there and has subscribed; or none is needed. It waits for [`GO`].
    Ready,
    /// It has sent everything.
    Sent {
        /// How many trades.
        trades: u64,
        /// Just before the first one.
        began: Moment,
        /// Just after the last one.
        ended: Moment,
        /// How far it was behind its rate at the end, nanoseconds.
        behind: u64,
    },
}

impl Event {
    /// Tells it.
    pub fn tell(&self) {
        // Nobody reads what a source says whose parent is gone; it ends with its stdin.
        if let Ok(line) = serde_json::to_string(self) {
            println!("{line}");
        }
    }
}
