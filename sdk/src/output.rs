//! What decoding gives: trades, events and refusals, each with the index of its frame.

use crate::{Decoded, Event, Reason, Refusal, Rejection, SessionEvent, Trade};

/// Collects what came out of a batch, and writes the index of the frame at hand into each piece.
#[derive(Debug)]
pub struct Output {
    frame: u32,
    trades: Vec<Trade>,
    events: Vec<Event>,
    refusals: Vec<Refusal>,
    /// Where the trades and events of the frame at hand start.
    first_trade: usize,
    first_event: usize,
}

impl Output {
    /// An empty output with room for `trades` trades.
    #[must_use]
    pub fn with_capacity(trades: usize) -> Self {
        let trades = Vec::with_capacity(trades);
        Self { frame: 0, trades, events: Vec::new(), refusals: Vec::new(), first_trade: 0, first_event: 0 }
    }

    /// Says that what follows belongs to the frame with this index. The default [`decode`](crate::Plugin::decode) does.
    pub fn begin(&mut self, frame: u32) {
        self.frame = frame;
        self.first_trade = self.trades.len();
        self.first_event = self.events.len();
    }

    /// Pushes a trade. Its `frame` is filled in.
    #[inline(always)]
    pub fn trade(&mut self, trade: Trade) {
        self.trades.push(Trade { frame: self.frame, ..trade });
    }

    /// The exchange confirmed the subscription to the market with this index.
    pub fn subscribed(&mut self, market: u32) {
        self.event(SessionEvent::Subscribed(market));
    }

    /// The exchange refused a subscription; `market` is none if its answer names no market of the session.
    pub fn rejected(&mut self, market: Option<u32>, reason: impl Into<String>) {
        self.event(SessionEvent::Rejected(Rejection { market, reason: reason.into() }));
    }

    /// A sign of life that carries nothing else.
    pub fn heartbeat(&mut self) {
        self.event(SessionEvent::Heartbeat);
    }

    /// Asks the host to send this text on the connection.
    pub fn send(&mut self, text: impl Into<String>) {
        self.event(SessionEvent::Send(text.into()));
    }

    /// Asks the host to reconnect; `reason` is a sentence for its log.
    pub fn reconnect(&mut self, reason: impl Into<String>) {
        self.event(SessionEvent::Reconnect(reason.into()));
    }

    /// Refuses the frame at hand, as an error of `decode_frame` does, while decoding goes on. A frame has at most one
    /// refusal: the first reason stands.
    pub fn refuse(&mut self, reason: impl Into<Reason>) {
        if self.refusals.last().is_none_or(|last| last.frame != self.frame) {
            self.refusals.push(Refusal { frame: self.frame, reason: reason.into().into_owned() });
        }
    }

    /// Drops the trades and events that the frame at hand gave so far.
    pub fn discard(&mut self) {
        self.trades.truncate(self.first_trade);
        self.events.truncate(self.first_event);
    }

    /// How many trades there are so far, of all frames.
    #[must_use]
    pub fn trades(&self) -> usize {
        self.trades.len()
    }

    /// The answer for the host.
    #[must_use]
    pub fn finish(self) -> Decoded {
        Decoded { trades: self.trades, events: self.events, refusals: self.refusals }
    }

    fn event(&mut self, what: SessionEvent) {
        self.events.push(Event { frame: self.frame, what });
    }
}
