//! A feed: markets of one exchange, shared out over sessions; each session's frames go through its plugin's instance,
//! lose what the session had already, and leave for Kafka as trades or dead letters.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;
use tracing::{error, info, warn};

use crate::config::FeedConfig;
use crate::frames::FrameBatch;
use crate::metrics::SessionMetrics;
use crate::plugin::{Decoded, Instance, Market, OpenFailure, OpenRequest, Plugin, SessionEvent, SessionPlan};
use crate::session::{FrameHandler, Plan, Reaction};
use crate::sink::dead_letter::DeadLetter;
use crate::sink::record::RecordTemplate;
use crate::sink::{Account, Outgoing, Sink};
use crate::trade::{Instrument, Origin};

mod dedupe;

use dedupe::Dedupe;

/// Where a session's records go.
#[derive(Clone, Debug)]
pub struct Topics {
    /// Full name of the topic of trades.
    pub trades: String,
    /// Full name of the topic of dead letters.
    pub dead_letters: String,
}

/// The connections that a feed needs: as many as the exchange's limit of subscriptions asks for.
pub fn shards(feed: &FeedConfig, plugin: &Plugin) -> Vec<OpenRequest> {
    let limit = plugin.description().limits.subscriptions.max(1) as usize;
    let settings: Vec<_> = feed.options.iter().map(|(name, value)| (name.clone(), value.clone())).collect();
    let market =
        |market: &crate::config::MarketConfig| Market { name: market.name.clone(), symbol: market.symbol.clone() };
    feed.markets
        .chunks(limit)
        .map(|markets| OpenRequest {
            markets: markets.iter().map(market).collect(),
            endpoint: feed.endpoint.clone(),
            rest_endpoint: feed.rest_endpoint.clone(),
            settings: settings.clone(),
            allow_plain: feed.allow_plain,
        })
        .collect()
}

/// One session's side of the plugin and of Kafka.
pub struct FeedSession {
    name: String,
    plugin: Arc<Plugin>,
    request: OpenRequest,
    instance: Option<Instance>,
    origin: Origin,
    template: RecordTemplate,
    dedupe: Dedupe,
    sink: Sink,
    account: Account,
    topics: Topics,
    metrics: SessionMetrics,
    decoded: Decoded,
    line: Vec<u8>,
}

impl FeedSession {
    /// Plans the session once, so that markets which the plugin does not take are known before anything connects.
    ///
    /// # Errors
    /// The plugin refuses the request or fails on it.
    pub fn new(
        name: String,
        exchange: &str,
        plugin: Arc<Plugin>,
        request: OpenRequest,
        sink: Sink,
        topics: Topics,
        metrics: SessionMetrics,
    ) -> Result<Self, OpenFailure> {
        let (_, plan) = plugin.open(request.clone())?;
        let description = plugin.description();
        let origin = Origin {
            exchange: exchange.to_owned(),
            kind: description.kind,
            plugin: description.name.clone(),
            plugin_version: description.version.clone(),
            instruments: instruments(&request, &plan),
        };
        Ok(Self {
            template: RecordTemplate::new(&origin),
            dedupe: Dedupe::new(origin.instruments.len()),
            account: sink.account(&metrics),
            instance: None,
            decoded: Decoded::default(),
            line: Vec::new(),
            name,
            plugin,
            request,
            origin,
            sink,
            topics,
            metrics,
        })
    }

    /// Exchange id.
    pub fn exchange(&self) -> &str {
        &self.origin.exchange
    }

    /// Most messages that the exchange takes on a connection, as the pause between two. A fifth is left for pongs.
    pub fn send_interval(&self) -> Duration {
        let rate = self.plugin.description().limits.messages;
        rate.window.mul_f64(1.25) / rate.count.max(1)
    }

    async fn send_trades(&mut self, received_at_us: i64) {
        for trade in &self.decoded.trades {
            if !self.dedupe.is_new(trade.market, &trade.id) {
                self.metrics.duplicates.inc();
                continue;
            }
            let Some(key) = self.template.key(trade.market) else { continue };
            self.template.write(trade, received_at_us, &mut self.line);
            let record = Outgoing {
                topic: &self.topics.trades,
                key,
                payload: &self.line,
                headers: self.template.headers(trade.source),
                account: self.account,
            };
            match self.sink.send(&record).await {
                Ok(()) => _ = self.metrics.trades.inc(),
                Err(error) => error!(id = %trade.id, %error, "Kafka can never take this trade: it is lost"),
            }
        }
    }

    async fn send_dead_letter(&self, letter: DeadLetter<'_>) {
        self.metrics.refused(letter.kind);
        let record = Outgoing {
            topic: &self.topics.dead_letters,
            key: self.origin.exchange.as_bytes(),
            payload: letter.frame,
            headers: &letter.headers(&self.origin, &self.name),
            account: self.account,
        };
        if let Err(error) = self.sink.send(&record).await {
            error!(bytes = letter.frame.len(), %error, "Kafka can never take this dead letter: the frame is lost");
        }
    }

    async fn send_dead_letters(&self, batch: &FrameBatch, received_at_us: i64) {
        for refused in &self.decoded.refused {
            let frame = batch.get(refused.frame as usize).unwrap_or_default();
            warn!(
                plugin = self.origin.plugin,
                version = self.origin.plugin_version,
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
        for event in self.decoded.events.drain(..) {
            match event.what {
                SessionEvent::Subscribed(market) => {
                    self.metrics.subscribed.inc();
                    info!(market = canonical(&self.origin, Some(market)), "subscribed");
                }
                SessionEvent::Rejected { market, reason } => {
                    self.metrics.rejected.inc();
                    error!(
                        market = canonical(&self.origin, market),
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
            reaction.reconnect = Some(format!("plugin {} is of no more use: {reason}", self.origin.plugin));
        }
        reaction
    }
}

impl FrameHandler for FeedSession {
    fn open(&mut self) -> Result<Plan, String> {
        self.instance = None;
        let (instance, plan) = self.plugin.open(self.request.clone()).map_err(|failure| failure.to_string())?;
        if instruments(&self.request, &plan) != self.origin.instruments {
            return Err(format!("plugin {} spells its markets differently than before", self.origin.plugin));
        }
        self.instance = Some(instance);
        Ok(Plan {
            url: plan.url,
            messages: plan.messages,
            idle: plan.heartbeat.idle,
            ping: plan.heartbeat.ping.map(|ping| (ping.interval, ping.message)),
        })
    }

    async fn frames(&mut self, batch: &FrameBatch, received_at_us: i64) -> Reaction {
        let Some(instance) = &mut self.instance else {
            return Reaction { reconnect: Some("the plugin has no instance".to_owned()), ..Reaction::default() };
        };
        let began = Instant::now();
        instance.decode(batch, received_at_us, &mut self.decoded);
        self.metrics.decode.observe(began.elapsed().as_secs_f64());
        self.send_trades(received_at_us).await;
        self.send_dead_letters(batch, received_at_us).await;
        self.react()
    }

    async fn broken(&mut self, frame: &[u8], reason: &str, received_at_us: i64) {
        let reason = format!("the exchange broke the WebSocket protocol: {reason}");
        self.send_dead_letter(DeadLetter { frame, kind: "protocol", reason: &reason, received_at_us }).await;
    }
}

fn instruments(request: &OpenRequest, plan: &SessionPlan) -> Vec<Instrument> {
    let names = request.markets.iter().map(|market| market.name.clone());
    names
        .zip(&plan.symbols)
        .map(|(canonical_symbol, symbol)| Instrument { canonical_symbol, symbol: symbol.clone() })
        .collect()
}

fn canonical(origin: &Origin, market: Option<u32>) -> &str {
    let instrument = market.and_then(|market| origin.instruments.get(market as usize));
    instrument.map_or("(not named)", |instrument| &instrument.canonical_symbol)
}
