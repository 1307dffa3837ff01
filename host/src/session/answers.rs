//! When a connection counts as live: the exchange has answered every subscription, or will not any more.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::time::Instant;
use tracing::warn;

use super::machine::Served;
use super::outbox::Outbox;
use super::slot::Happened;
use super::{Ended, Subscriptions};

/// The answers to one connection's subscriptions.
pub(super) struct Answers {
    newest: Subscriptions,
    /// How long an answer may take.
    patience: Duration,
    /// When the newest answer came.
    at: Instant,
    /// When the newest message went that may ask for something.
    asked: Instant,
    /// When all of the first messages had gone.
    all_asked: Option<Instant>,
    /// Whether any frame came.
    heard: bool,
    /// Whether the exchange was ever seen to confirm a subscription. One that never does is live with its first trade.
    confirms: Arc<AtomicBool>,
    changed: bool,
    settled: bool,
}

impl Answers {
    pub(super) fn new(markets: u32, patience: Duration, confirms: Arc<AtomicBool>, now: Instant) -> Self {
        let newest = Subscriptions { missing: markets, ..Subscriptions::default() };
        Self {
            newest,
            patience,
            at: now,
            asked: now,
            all_asked: None,
            heard: false,
            confirms,
            changed: true,
            settled: false,
        }
    }

    /// A frame came.
    pub(super) fn heard(&mut self) {
        self.heard = true;
    }

    /// A message went; none waits behind it if it `is_last`.
    pub(super) fn sent(&mut self, is_last: bool, now: Instant) {
        // A plugin may ask for more when it is answered. Its pings and replies, which go on for ever, ask for nothing.
        if self.all_asked.is_none_or(|at| now <= at + self.patience) {
            self.asked = now;
        }
        if is_last && self.all_asked.is_none() {
            self.all_asked = Some(now);
        }
    }

    /// An answer came.
    pub(super) fn came(&mut self, subscriptions: Subscriptions, now: Instant) {
        if subscriptions.confirmed > 0 {
            self.confirms.store(true, Ordering::Relaxed);
        }
        (self.newest, self.at, self.changed) = (subscriptions, now, true);
    }

    /// When the next answer is overdue, if one is waited for. It cannot come before everything is sent.
    pub(super) fn deadline(&self, outbox: &Outbox) -> Option<Instant> {
        if self.settled || outbox.due().is_some() || (!self.heard && !self.confirms()) {
            return None;
        }
        Some(self.asked.max(self.at) + self.patience)
    }

    /// What is to be told to the session now.
    ///
    /// # Errors
    /// The connection is of no use: the exchange, which confirms subscriptions, has confirmed none in time.
    pub(super) fn judge(&mut self, outbox: &Outbox, now: Instant) -> Result<Option<Happened>, Ended> {
        let late = self.deadline(outbox).is_some_and(|deadline| deadline <= now);
        if !self.changed && !late {
            return Ok(None);
        }
        self.changed = false;
        let Subscriptions { confirmed, refused, trading, missing, .. } = self.newest;
        let served = confirmed + trading;
        if missing > 0 && !self.confirms() && (trading > 0 || late || self.settled) {
            self.settled = true;
            // Nothing but trades will ever tell about the others. Before the first one, another connection may fare better.
            let (markets, missing) =
                if trading > 0 { (served + missing, refused) } else { (served, refused + missing) };
            return Ok(Some(Happened::Settled(Served { markets, missing })));
        }
        if late && missing > 0 {
            if served + refused == 0 {
                return Err(Ended::Unanswered(missing, self.patience));
            }
            let names = &self.newest.missing_names;
            warn!(
                missing,
                names, "subscriptions were not confirmed; they are tried again on a connection beside this one"
            );
        }
        self.settled |= missing == 0 || late;
        Ok(Some(if self.settled {
            Happened::Settled(Served { markets: served, missing: refused + missing })
        } else {
            Happened::Subscribing(Served { markets: served, missing: refused })
        }))
    }

    fn confirms(&self) -> bool {
        self.confirms.load(Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Allowance, Budgets};
    use super::*;

    const PATIENCE: Duration = Duration::from_secs(10);

    fn answers(markets: u32, confirms: bool) -> (Answers, Outbox) {
        let allowance = Allowance { count: 5, window: Duration::from_secs(1) };
        let budget = Budgets::default().messages("wss://stream.example.com/ws", allowance);
        let outbox = Outbox::new(budget, prometheus_client::metrics::gauge::Gauge::default());
        (Answers::new(markets, PATIENCE, Arc::new(AtomicBool::new(confirms)), Instant::now()), outbox)
    }

    fn counts(confirmed: u32, refused: u32, trading: u32, missing: u32) -> Subscriptions {
        Subscriptions { confirmed, refused, trading, missing, missing_names: String::new() }
    }

    fn judged(answers: &mut Answers, outbox: &Outbox) -> String {
        match answers.judge(outbox, Instant::now()) {
            Ok(Some(Happened::Settled(served))) => format!("settled {}/{}", served.markets, served.missing),
            Ok(Some(Happened::Subscribing(served))) => format!("subscribing {}/{}", served.markets, served.missing),
            Ok(other) => format!("{other:?}"),
            Err(ended) => ended.to_string(),
        }
    }

    #[tokio::test(start_paused = true)]
    async fn without_markets_a_connection_is_live_at_once() {
        let (mut answers, outbox) = answers(0, false);
        assert_eq!(judged(&mut answers, &outbox), "settled 0/0");
        assert_eq!(judged(&mut answers, &outbox), "None");
        assert_eq!(answers.deadline(&outbox), None);
    }

    #[tokio::test(start_paused = true)]
    async fn every_market_confirmed_or_refused_makes_it_live() {
        let (mut answers, outbox) = answers(3, false);
        for (came, expected) in [
            (counts(1, 0, 0, 2), "subscribing 1/0"),
            (counts(1, 1, 0, 1), "subscribing 1/1"),
            (counts(1, 1, 1, 0), "settled 2/1"),
            (counts(2, 1, 0, 0), "settled 2/1"),
            (counts(3, 0, 0, 0), "settled 3/0"),
        ] {
            answers.came(came, Instant::now());
            assert_eq!(judged(&mut answers, &outbox), expected);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn an_exchange_that_never_confirms_is_live_with_its_first_trade() {
        let (mut answers, outbox) = answers(3, false);
        answers.came(counts(0, 0, 1, 2), Instant::now());
        assert_eq!(judged(&mut answers, &outbox), "settled 3/0");
        answers.came(counts(0, 0, 2, 1), Instant::now());
        assert_eq!(judged(&mut answers, &outbox), "settled 3/0");
    }

    #[tokio::test(start_paused = true)]
    async fn missing_answers_are_waited_for_from_the_newest_message_or_answer() {
        let (mut answers, mut outbox) = answers(3, true);
        assert!(outbox.push(["subscribe".to_owned()]));
        assert_eq!(answers.deadline(&outbox), None, "the message has not gone yet");
        tokio::time::sleep(PATIENCE).await;
        outbox.take();
        answers.sent(true, Instant::now());
        assert_eq!(answers.deadline(&outbox), Some(Instant::now() + PATIENCE));
        tokio::time::sleep(PATIENCE / 2).await;
        answers.came(counts(2, 0, 0, 1), Instant::now());
        assert_eq!(judged(&mut answers, &outbox), "subscribing 2/0");
        tokio::time::sleep(PATIENCE - Duration::from_millis(1)).await;
        assert_eq!(judged(&mut answers, &outbox), "None");
        tokio::time::sleep(Duration::from_millis(1)).await;
        assert_eq!(judged(&mut answers, &outbox), "settled 2/1");
        answers.came(counts(3, 0, 0, 0), Instant::now());
        assert_eq!(judged(&mut answers, &outbox), "settled 3/0", "late is better than never");
    }

    #[tokio::test(start_paused = true)]
    async fn pings_and_replies_put_nothing_off() {
        let (mut answers, outbox) = answers(1, true);
        answers.sent(true, Instant::now());
        // What follows at once may be a question that waited for the answer to another.
        tokio::time::sleep(PATIENCE / 2).await;
        answers.sent(true, Instant::now());
        assert_eq!(answers.deadline(&outbox), Some(Instant::now() + PATIENCE));
        let mut waited = Duration::ZERO;
        while waited < 2 * PATIENCE {
            tokio::time::sleep(PATIENCE / 2).await;
            waited += PATIENCE / 2;
            answers.sent(true, Instant::now());
        }
        assert!(judged(&mut answers, &outbox).contains("none of 1 subscriptions"));
    }

    #[tokio::test(start_paused = true)]
    async fn a_connection_without_any_answer_is_of_no_use_where_answers_are_usual() {
        let (mut usual, outbox) = answers(2, true);
        tokio::time::sleep(PATIENCE).await;
        assert!(judged(&mut usual, &outbox).contains("none of 2 subscriptions within 10 s"));
        // Where nothing came at all, only silence can tell.
        let (mut unknown, outbox) = answers(2, false);
        assert_eq!(judged(&mut unknown, &outbox), "subscribing 0/0");
        tokio::time::sleep(PATIENCE).await;
        assert_eq!(judged(&mut unknown, &outbox), "None");
        unknown.heard();
        assert_eq!(judged(&mut unknown, &outbox), "settled 0/2", "another connection is tried beside it");
        unknown.came(counts(0, 0, 1, 1), Instant::now());
        assert_eq!(judged(&mut unknown, &outbox), "settled 2/0");
    }
}
