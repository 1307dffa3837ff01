//! Messages that wait to be sent to the exchange, at the pace that it allows all connections together.

use std::collections::VecDeque;
use std::sync::Arc;

use prometheus_client::metrics::gauge::Gauge;
use tokio::time::Instant;

use super::budget::Budget;

/// Most messages that wait; more means that the exchange or the plugin runs wild, and the connection is given up.
const ROOM: usize = 1024;

/// The outbox of one connection.
pub(super) struct Outbox {
    waiting: VecDeque<String>,
    budget: Arc<Budget>,
    /// When the first of those that wait may go.
    next: Instant,
    /// Shared with the session's other connection.
    depth: Gauge,
}

impl Outbox {
    /// An empty outbox that spends from this budget.
    pub(super) fn new(budget: Arc<Budget>, depth: Gauge) -> Self {
        Self { waiting: VecDeque::new(), budget, next: Instant::now(), depth }
    }

    /// Queues messages; false if there is no room.
    #[must_use]
    pub(super) fn push(&mut self, messages: impl IntoIterator<Item = String>) -> bool {
        let before = self.waiting.len();
        self.waiting.extend(messages);
        self.depth.inc_by((self.waiting.len() - before) as i64);
        self.waiting.len() <= ROOM
    }

    /// When the next message may go; none while there is none.
    pub(super) fn due(&self) -> Option<Instant> {
        (!self.waiting.is_empty()).then_some(self.next)
    }

    /// Takes the first message if the budget has room for it; else puts it off.
    pub(super) fn take(&mut self) -> Option<String> {
        if self.waiting.is_empty() {
            return None;
        }
        if let Err(at) = self.budget.take() {
            self.next = at;
            return None;
        }
        self.depth.dec();
        self.waiting.pop_front()
    }
}

impl Drop for Outbox {
    fn drop(&mut self) {
        self.depth.dec_by(self.waiting.len() as i64);
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::super::budget::{Allowance, Budgets};
    use super::*;

    fn outbox(count: u32) -> (Outbox, Gauge) {
        let depth = Gauge::default();
        let allowance = Allowance { count, window: Duration::from_secs(1) };
        let budget = Budgets::default().messages("wss://stream.example.com/ws", allowance);
        (Outbox::new(budget, depth.clone()), depth)
    }

    /// Sends everything, and says when each message went.
    async fn sent(mut outbox: Outbox) -> Vec<Instant> {
        let mut times = Vec::new();
        while let Some(due) = outbox.due() {
            tokio::time::sleep_until(due).await;
            times.extend(outbox.take().map(|_| Instant::now()));
        }
        times
    }

    #[tokio::test(start_paused = true)]
    async fn connections_to_one_host_share_its_pace() {
        let allowance = Allowance { count: 5, window: Duration::from_secs(1) };
        let budgets = Budgets::default();
        let outboxes = ["wss://a.example.com/one", "wss://a.example.com/two", "wss://b.example.com/"].map(|url| {
            let mut outbox = Outbox::new(budgets.messages(url, allowance), Gauge::default());
            assert!(outbox.push((0..8).map(|number| number.to_string())));
            outbox
        });
        let [one, two, other] = outboxes.map(|outbox| tokio::spawn(sent(outbox)));
        let (mut both, other) = ([one.await.unwrap(), two.await.unwrap()].concat(), other.await.unwrap());
        both.sort();
        assert_eq!((both.len(), other.len()), (16, 8));
        for times in [&both, &other] {
            for (first, fifth) in times.iter().zip(&times[4..]) {
                assert!(*fifth - *first >= Duration::from_millis(999), "five messages within {:?}", *fifth - *first);
            }
        }
        assert!(other[7] < both[12], "another host has a budget of its own");
    }

    #[tokio::test(start_paused = true)]
    async fn messages_keep_their_order_and_the_exchange_s_pace() {
        let (mut outbox, depth) = outbox(5);
        assert_eq!(outbox.due(), None);
        assert!(outbox.push((0..12).map(|number| number.to_string())));
        let mut times = Vec::new();
        while let Some(due) = outbox.due() {
            tokio::time::sleep_until(due).await;
            if let Some(message) = outbox.take() {
                assert_eq!(message, times.len().to_string());
                times.push(Instant::now());
            }
        }
        assert_eq!((times.len(), depth.get()), (12, 0));
        for (first, fifth) in times.iter().zip(&times[4..]) {
            let apart = *fifth - *first;
            assert!(apart >= Duration::from_millis(999), "five messages within {apart:?}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_flood_is_refused_and_what_waits_is_forgotten_with_its_connection() {
        let (mut outbox, depth) = outbox(5);
        assert!(outbox.push((0..ROOM).map(|n| n.to_string())));
        assert!(!outbox.push(["one too many".to_owned()]));
        assert_eq!(depth.get(), ROOM as i64 + 1);
        drop(outbox);
        assert_eq!(depth.get(), 0);
    }
}
