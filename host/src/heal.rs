//! Healing: what the ledgers miss is asked for at the exchange, again and again if need be, until it has come or is
//! listed as missing.
//!
//! The ledgers' gaps are the queue: bounded, kept in Kafka with the positions, in order of their finding. The exchange's
//! budget is shared by all feeds of the exchange.

use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use crate::feed::Feed;
use crate::ledger::{Attempt, Due, GapState, Notice};
use crate::metrics::HealMetrics;
use crate::rest::Rest;
use crate::sink::Account;

mod attempt;
mod record;

/// How often the ledgers are looked at.
const LOOK: Duration = Duration::from_millis(250);

/// The most gaps of a feed that are asked for at once; the others wait, and nothing is lost by it.
const AT_ONCE: usize = 4;

/// First and longest pause between attempts, where the exchange does not say.
const PAUSES: [Duration; 2] = [Duration::from_secs(1), Duration::from_secs(300)];

/// Heals the gaps of one feed.
pub struct Healer {
    /// Whose gaps.
    pub feed: Arc<Feed>,
    /// The way to ask; or why there is none, as a sentence.
    pub rest: Result<Rest, String>,
    /// How long a gap may close by itself.
    pub patience: Duration,
    /// How long a gap is asked for.
    pub give_up: Duration,
    /// Whose latency figure deliveries count for.
    pub account: Account,
    /// Figures.
    pub metrics: HealMetrics,
}

impl Healer {
    /// Runs until `shutdown`. What is open then is in the markets' positions, and a successor goes on with it.
    pub async fn run(self, shutdown: CancellationToken) {
        let healer = Arc::new(self);
        let mut attempts = JoinSet::new();
        let mut waiting = Vec::<Due>::new();
        let mut looks = tokio::time::interval(LOOK);
        loop {
            tokio::select! {
                biased;
                () = shutdown.cancelled() => break,
                Some(_) = attempts.join_next() => {}
                _ = looks.tick() => {}
            }
            let ledger = healer.feed.ledger();
            waiting.extend(ledger.due(healer.patience));
            while attempts.len() < AT_ONCE && !waiting.is_empty() {
                attempts.spawn(Arc::clone(&healer).heal(waiting.remove(0), shutdown.clone()));
            }
            for notice in ledger.take_notices() {
                healer.tell(&notice).await;
            }
            healer.metrics.open.set(i64::try_from(ledger.open_gaps()).unwrap_or(i64::MAX));
        }
        // A trade on its way to the producer is not to be dropped there.
        while attempts.join_next().await.is_some() {}
    }

    async fn heal(self: Arc<Self>, due: Due, shutdown: CancellationToken) {
        let attempt = match &self.rest {
            Err(reason) => Attempt::GiveUp(reason.clone()),
            Ok(rest) => match attempt::ask(&self, rest, &due, &shutdown).await {
                Ok(()) => Attempt::Answered,
                Err(error) => self.after(&due, &error),
            },
        };
        self.feed.ledger().attempted(&due, attempt);
    }

    /// What follows from a failed attempt.
    fn after(&self, due: &Due, error: &attempt::Failure) -> Attempt {
        let (market, exchange) = (self.feed.canonical(Some(due.market)), self.feed.exchange());
        if !error.may_pass {
            return Attempt::GiveUp(error.reason.clone());
        }
        if due.found.elapsed() >= self.give_up {
            return Attempt::GiveUp(format!(
                "it was asked for for {} s in vain; the last time: {}",
                self.give_up.as_secs(),
                error.reason
            ));
        }
        let [first, longest] = PAUSES;
        let bound = first.saturating_mul(1 << due.attempts.min(20)).min(longest);
        let pause = bound.mul_f64(0.5 + fastrand::f64() / 2.0).max(error.after.unwrap_or_default());
        let pause =
            pause.min((due.found + self.give_up).saturating_duration_since(tokio::time::Instant::now()).max(first));
        warn!(
            exchange,
            market,
            reason = error.reason,
            pause_ms = pause.as_millis() as u64,
            "asking for missing trades failed"
        );
        self.metrics.failed.inc();
        Attempt::Later(pause)
    }

    /// Says what became of a gap: in the log, in the figures, and to readers of Kafka.
    async fn tell(&self, notice: &Notice) {
        let (exchange, market) = (self.feed.exchange(), self.feed.canonical(Some(notice.market)));
        let (first, last) = record::bounds(&notice.span);
        let (start_us, end_us) = (notice.span.start_us, notice.span.end_us);
        self.metrics.count(&notice.state);
        match &notice.state {
            GapState::Open => {
                warn!(exchange, market, first, last, start_us, end_us, "trades are missing, asking for them")
            }
            GapState::Filled => info!(exchange, market, first, last, "missing trades have come"),
            GapState::Missing(reason) => {
                warn!(exchange, market, first, last, start_us, end_us, reason, "trades stay missing");
            }
        }
        let payload = record::payload(exchange, market, notice);
        self.feed.send_gap(notice, &payload, self.account).await;
    }
}
