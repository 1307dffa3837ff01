//! What came out of a batch of frames.

use crate::trade::Trade;

/// What came out of a batch. The session keeps one and hands it in again and again, so that its memory is reused.
#[derive(Debug, Default)]
pub struct Decoded {
    /// The trades, in the order of the frames; every index in them is checked.
    pub trades: Vec<Trade>,
    /// What happened on the session, in the order of the frames.
    pub events: Vec<Event>,
    /// The frames that could not be used, in the order of the frames, each at most once. A frame may have both given
    /// trades and been refused.
    pub refused: Vec<Refused>,
    /// How often the plugin crashed, ran into a limit, or answered with nonsense that could not be pinned on a frame: each
    /// cost it its sandbox, and the batch was decoded again.
    pub faults: u32,
    /// Why the instance is of no more use, if it is not. Frames that it could not decode any more are in `refused`.
    pub broken: Option<String>,
}

impl Decoded {
    /// Empty buffers.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Forgets what it holds, keeps the memory.
    pub fn clear(&mut self) {
        self.trades.clear();
        self.events.clear();
        self.refused.clear();
        self.faults = 0;
        self.broken = None;
    }
}

/// Where buffers ended before a call, to undo what it appended.
#[derive(Clone, Copy)]
pub(super) struct Mark {
    trades: usize,
    events: usize,
    refused: usize,
}

impl Decoded {
    pub(super) fn mark(&self) -> Mark {
        Mark { trades: self.trades.len(), events: self.events.len(), refused: self.refused.len() }
    }

    pub(super) fn return_to(&mut self, mark: Mark) {
        self.trades.truncate(mark.trades);
        self.events.truncate(mark.events);
        self.refused.truncate(mark.refused);
    }
}

/// Something that happened on the session, and the frame that it came by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// Index of the frame in the batch.
    pub frame: u32,
    /// What happened.
    pub what: SessionEvent,
}

/// Something that happened on the session, besides trades.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SessionEvent {
    /// The exchange confirmed the subscription to the market of this index.
    Subscribed(u32),
    /// The exchange refused a subscription.
    Rejected {
        /// Index of the market, if the answer names it.
        market: Option<u32>,
        /// The exchange's reason, escaped and bounded.
        reason: String,
    },
    /// A sign of life.
    Heartbeat,
    /// This text is to be sent, as it is.
    Send(String),
    /// The session is to reconnect; the text, escaped and bounded, says why.
    Reconnect(String),
}

/// A frame that could not be used, or not wholly.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// Index of the frame in the batch; of the row in a backfill page.
    pub frame: u32,
    /// Who refused it.
    pub kind: RefusalKind,
    /// A sentence that says why, escaped and bounded.
    pub reason: String,
}

/// Who refused a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RefusalKind {
    /// The plugin refused this frame, or its answer about this frame made no sense.
    Refused,
    /// The plugin refused the whole batch, or was of no more use when this frame's turn came.
    BatchRefused,
    /// The plugin crashed on it.
    Trap,
    /// The plugin ran out of time or memory on it.
    Limit,
}

impl RefusalKind {
    /// As dead letters and metrics spell it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Refused => "refused",
            Self::BatchRefused => "batch-refused",
            Self::Trap => "trap",
            Self::Limit => "limit",
        }
    }
}
