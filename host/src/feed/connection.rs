//! One connection of a feed: its frames go through its own instance of the plugin, lose what the feed had already, and
//! leave for Kafka as trades or dead letters.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use tokio::time::Instant;
use tracing::{error, info, warn};

use super::subscriptions::Answers;
use super::{Feed, Taken};
use crate::frames::FrameBatch;
use crate::metrics::SessionMetrics;
use crate::plugin::{Decoded, FeedInstance, SessionEvent};
use crate::session::{FrameHandler, Plan, Reaction};
use crate::sink::Account;
use crate::sink::dead_letter::DeadLetter;

/// One connection's side of the plugin and of Kafka.
pub struct FeedConnection {
    feed: Arc<Feed>,
    /// Its number among all connections of the feed.
    number: u64,
    instance: Option<Box<dyn FeedInstance>>,
    answers: Answers,
    account: Account,
    metrics: SessionMetrics,
    decoded: Decoded,
    line: Vec<u8>,
    /// Markets whose trades it brings.
    served: Vec<bool>,
}

impl FeedConnection {
    pub(super) fn new(feed: Arc<Feed>, metrics: SessionMetrics, account: Account) -> Self {
        let answers = Answers::new(feed.origin.instruments.len());
        let (decoded, line) = (Decoded::default(), Vec::new());
        let served = vec![false; feed.origin.instruments.len()];
        let number = feed.connections.fetch_add(1, Ordering::Relaxed);
        Self { feed, number, instance: None, answers, account, metrics, decoded, line, served }
    }

    /// Lets the ledger know which markets' trades come this way now.
    fn serve(&mut self, is_served: impl Fn(u32, &Answers) -> bool) {
        for (market, served) in (0..).zip(&mut self.served) {
            match (std::mem::replace(served, is_served(market, &self.answers)), *served) {
                (false, true) => self.feed.ledger.connected(market, self.number),
                (true, false) => self.feed.ledger.disconnected(market, self.number),
                _ => {}
            }
        }
    }

    async fn send_trades(&mut self, received_at_us: i64) {
        let (mut sent, mut known) = (0, 0);
        for trade in &self.decoded.trades {
            match self.feed.take(trade, received_at_us, self.account, &mut self.line).await {
                Taken::Sent => sent += 1,
                Taken::Known => known += 1,
                Taken::Refused => {}
            }
            self.feed.ledger.brought(self.number, trade);
        }
        self.metrics.trades.inc_by(sent);
        self.metrics.duplicates.inc_by(known);
    }

    async fn send_dead_letter(&self, letter: DeadLetter<'_>) {
        self.metrics.refused(letter.kind);
        self.feed.send_dead_letter(letter, self.account).await;
    }

    async fn send_dead_letters(&self, batch: &FrameBatch, received_at_us: i64) {
        for refused in &self.decoded.refused {
            let frame = batch.get(refused.frame as usize).unwrap_or_default();
            warn!(
                plugin = self.feed.origin.plugin,
                version = self.feed.origin.plugin_version,
                kind = refused.kind.as_str(),
                bytes = frame.len(),
                reason = refused.reason,
                "a frame goes to the dead letters"
            );
            let letter = DeadLetter { frame, kind: refused.kind.as_str(), reason: &refused.reason, received_at_us };
            self.send_dead_letter(letter).await;
        }
    }

    fn react(&mut self) -> Reaction {
        let mut reaction = Reaction::default();
        self.decoded.trades.iter().for_each(|trade| self.answers.traded(trade.market));
        for event in self.decoded.events.drain(..) {
            match event.what {
                SessionEvent::Subscribed(market) => {
                    self.answers.confirmed(market);
                    self.feed.confirms.store(true, Ordering::Relaxed);
                    info!(market = self.feed.canonical(Some(market)), "subscribed");
                }
                SessionEvent::Rejected { market, reason } => {
                    self.answers.refused(market);
                    self.metrics.rejected.inc();
                    error!(
                        market = self.feed.canonical(market),
                        reason, "the exchange refused a subscription; check the market's spelling in the feed"
                    );
                }
                SessionEvent::Heartbeat => {}
                SessionEvent::Send(text) => reaction.send.push(text),
                SessionEvent::Reconnect(reason) => reaction.reconnect = Some(reason),
            }
        }
        if let Some(reason) = self.decoded.broken.take() {
            self.instance = None;
            reaction.give_up = Some(format!("plugin {} is of no more use: {reason}", self.feed.origin.plugin));
        }
        reaction.subscriptions = self.answers.news(|market| self.feed.canonical(Some(market)));
        reaction
    }
}

impl FrameHandler for FeedConnection {
    fn open(&mut self) -> Result<Plan, String> {
        self.serve(|_, _| false);
        self.instance = None;
        let (instance, plan) = self.feed.open_instance()?;
        self.instance = Some(instance);
        Ok(Plan {
            url: plan.url,
            messages: plan.messages,
            idle: plan.heartbeat.idle,
            ping: plan.heartbeat.ping.map(|ping| (ping.interval, ping.message)),
            markets: u32::try_from(self.feed.request.markets.len()).unwrap_or(u32::MAX),
        })
    }

    async fn frames(&mut self, batch: &FrameBatch, received_at_us: i64) -> Reaction {
        let Some(instance) = &mut self.instance else {
            return Reaction { give_up: Some("the plugin has no instance".to_owned()), ..Reaction::default() };
        };
        let feed = Arc::clone(&self.feed);
        let _busy = feed.rhythms.busy();
        let began = Instant::now();
        instance.decode(batch, received_at_us, &mut self.decoded);
        self.metrics.decode.observe(began.elapsed().as_secs_f64());
        feed.rhythms.traded(&self.decoded.trades);
        let reaction = self.react();
        let confirms = feed.confirms.load(Ordering::Relaxed);
        self.serve(|market, answers| answers.is_served(market, confirms));
        self.send_trades(received_at_us).await;
        self.send_dead_letters(batch, received_at_us).await;
        reaction
    }

    async fn broken(&mut self, frame: &[u8], reason: &str, received_at_us: i64) {
        let reason = format!("the exchange broke the WebSocket protocol: {reason}");
        self.send_dead_letter(DeadLetter { frame, kind: "protocol", reason: &reason, received_at_us }).await;
    }
}

impl Drop for FeedConnection {
    fn drop(&mut self) {
        self.serve(|_, _| false);
    }
}
