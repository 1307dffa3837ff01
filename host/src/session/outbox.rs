//! Messages that wait to be sent to the exchange, at the pace that it allows.

use std::collections::VecDeque;
use std::time::Duration;

use prometheus_client::metrics::gauge::Gauge;
use tokio::time::Instant;

/// Most messages that wait; more means that the exchange or the plugin runs wild, and the connection is given up.
const ROOM: usize = 1024;

/// The outbox of one connection.
#[derive(Debug)]
pub(super) struct Outbox {
    waiting: VecDeque<String>,
    interval: Duration,
    next: Instant,
    depth: Gauge,
}

impl Outbox {
    pub(super) fn new(interval: Duration, depth: Gauge) -> Self {
        Self { waiting: VecDeque::new(), interval, next: Instant::now(), depth }
    }

    /// Queues messages; false if there is no room.
    #[must_use]
    pub(super) fn push(&mut self, messages: impl IntoIterator<Item = String>) -> bool {
        self.waiting.extend(messages);
        self.depth.set(self.waiting.len() as i64);
        self.waiting.len() <= ROOM
    }

    /// When the next message may go; none while there is none.
    pub(super) fn due(&self) -> Option<Instant> {
        (!self.waiting.is_empty()).then_some(self.next)
    }

    /// Takes the message that is due, and puts the next off by the interval.
    pub(super) fn take(&mut self) -> Option<String> {
        let message = self.waiting.pop_front();
        self.next = Instant::now() + self.interval;
        self.depth.set(self.waiting.len() as i64);
        message
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn messages_keep_their_order_and_distance() {
        let mut outbox = Outbox::new(Duration::from_millis(250), Gauge::default());
        assert_eq!(outbox.due(), None);
        assert!(outbox.push(["one".to_owned(), "two".to_owned()]));
        assert_eq!(outbox.due(), Some(Instant::now()));
        assert_eq!(outbox.take().as_deref(), Some("one"));
        assert_eq!(outbox.due(), Some(Instant::now() + Duration::from_millis(250)));
        assert_eq!(outbox.take().as_deref(), Some("two"));
        assert_eq!(outbox.due(), None);
    }

    #[tokio::test]
    async fn a_flood_is_refused() {
        let mut outbox = Outbox::new(Duration::ZERO, Gauge::default());
        assert!(outbox.push((0..ROOM).map(|n| n.to_string())));
        assert!(!outbox.push(["one too many".to_owned()]));
    }
}
