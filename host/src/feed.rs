//! A feed: markets of one exchange, shared out over sessions. What the connections of a session have in common is here;
//! each connection is a [`FeedConnection`].

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64};

use rdkafka::message::OwnedHeaders;
use tracing::error;

use crate::capture::SegmentHeader;
use crate::config::FeedConfig;
use crate::ledger::{Ledger, Notice};
use crate::metrics::SessionMetrics;
use crate::plugin::{FeedInstance, FeedPlugin, Market, OpenFailure, OpenRequest, Plugin, SessionPlan};
use crate::sink::dead_letter::DeadLetter;
use crate::sink::record::RecordTemplate;
use crate::sink::{Account, Outgoing, Sink};
use crate::trade::{Instrument, Origin, Source, Trade};

mod connection;
mod resume;
mod rhythm;
pub mod silence;
mod subscriptions;

pub use connection::FeedConnection;
pub use resume::{Positions, restore};

/// Where a session's records go.
#[derive(Clone, Debug)]
pub struct Topics {
    /// Full name of the topic of trades.
    pub trades: String,
    /// Full name of the topic of dead letters.
    pub dead_letters: String,
    /// Full name of the topic of gaps.
    pub gaps: String,
    /// Whether records of trades and gaps carry headers.
    pub headers: bool,
}

/// The connections that a feed needs: as many as the exchange's limit of subscriptions asks for.
pub fn shards(feed: &FeedConfig, plugin: &Plugin) -> Vec<OpenRequest> {
    let limit = plugin.description().limits.subscriptions.max(1) as usize;
    let settings: Vec<_> = feed.options.iter().map(|(name, value)| (name.clone(), value.expose().to_owned())).collect();
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
            hosts: feed.hosts.clone(),
            allow_private: feed.allow_private,
        })
        .collect()
}

/// What the connections to one session's markets share.
pub struct Feed {
    name: String,
    plugin: Arc<dyn FeedPlugin>,
    request: OpenRequest,
    origin: Origin,
    template: RecordTemplate,
    ledger: Ledger,
    /// Whether the exchange was ever seen to confirm a subscription.
    confirms: AtomicBool,
    /// Connections there ever were.
    connections: AtomicU64,
    rhythms: silence::Rhythms,
    sink: Sink,
    topics: Topics,
}

/// What became of a trade.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Taken {
    /// It is on its way to Kafka.
    Sent,
    /// It came before.
    Known,
    /// Kafka can never take it.
    Refused,
}

impl Feed {
    /// Plans the session once, so that markets which the plugin does not take are known before anything connects.
    ///
    /// # Errors
    /// The plugin refuses the request or fails on it.
    pub fn new(
        name: String,
        exchange: &str,
        plugin: Arc<impl FeedPlugin>,
        request: OpenRequest,
        sink: Sink,
        topics: Topics,
    ) -> Result<Self, OpenFailure> {
        let (_, plan) = Arc::clone(&plugin).instance(request.clone())?;
        let description = plugin.description();
        let origin = Origin {
            exchange: exchange.to_owned(),
            kind: description.kind,
            plugin: description.name.clone(),
            plugin_version: description.version.clone(),
            instruments: instruments(&request, &plan),
        };
        let template = RecordTemplate::new(&origin);
        let ledger = Ledger::new(origin.instruments.len(), description.ids);
        let rhythms = silence::Rhythms::new(origin.instruments.len());
        let (confirms, connections) = (AtomicBool::new(false), AtomicU64::new(0));
        Ok(Self { name, plugin, request, origin, template, ledger, confirms, connections, rhythms, sink, topics })
    }

    /// A connection to the feed's markets. Any number may be open at once: the first copy of each trade goes on.
    pub fn connection(self: &Arc<Self>, metrics: SessionMetrics, account: Account) -> FeedConnection {
        FeedConnection::new(Arc::clone(self), metrics, account)
    }

    /// Exchange id.
    pub fn exchange(&self) -> &str {
        &self.origin.exchange
    }

    /// What a capture says of the frames of one of its sessions.
    pub fn segment_header(&self, session: &str) -> SegmentHeader {
        SegmentHeader::new(&self.origin.exchange, session, &*self.plugin, &self.request)
    }

    /// What is known of its markets.
    pub fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    /// An instance of the plugin that knows the feed's markets. The error is a sentence.
    pub(crate) fn open_instance(&self) -> Result<(Box<dyn FeedInstance>, SessionPlan), String> {
        let opened = Arc::clone(&self.plugin).instance(self.request.clone());
        let (instance, plan) = opened.map_err(|failure| failure.to_string())?;
        if instruments(&self.request, &plan) != self.origin.instruments {
            return Err(format!("plugin {} spells its markets differently than before", self.origin.plugin));
        }
        Ok((instance, plan))
    }

    /// Sends a trade that did not come before. `line` is room to write it in.
    pub(crate) async fn take(&self, trade: &Trade, received_at_us: i64, account: Account, line: &mut Vec<u8>) -> Taken {
        if !self.ledger.is_new(trade) {
            return Taken::Known;
        }
        let Some(key) = self.template.key(trade.market) else { return Taken::Refused };
        self.template.write(trade, received_at_us, line);
        let record =
            Outgoing { topic: &self.topics.trades, key, payload: line, headers: self.headers(trade.source), account };
        match self.sink.send(&record, || self.ledger.accepted(trade)).await {
            Ok(()) => Taken::Sent,
            Err(error) => {
                error!(id = %trade.id, %error, "Kafka can never take this trade: it is lost");
                Taken::Refused
            }
        }
    }

    pub(crate) async fn send_dead_letter(&self, letter: DeadLetter<'_>, account: Account) {
        let record = Outgoing {
            topic: &self.topics.dead_letters,
            key: self.origin.exchange.as_bytes(),
            payload: letter.frame,
            headers: Some(&letter.headers(&self.origin, &self.name)),
            account,
        };
        if let Err(error) = self.sink.send(&record, || ()).await {
            error!(bytes = letter.frame.len(), %error, "Kafka can never take this dead letter: the frame is lost");
        }
    }

    /// Tells readers of Kafka what became of a gap.
    pub(crate) async fn send_gap(&self, notice: &Notice, payload: &[u8], account: Account) {
        let Some(key) = self.template.key(notice.market) else { return };
        let headers = self.headers(Source::Backfill);
        let record = Outgoing { topic: &self.topics.gaps, key, payload, headers, account };
        if let Err(error) = self.sink.send(&record, || self.ledger.told(notice)).await {
            error!(%error, "Kafka can never take this record of a gap: it is lost");
            self.ledger.told(notice);
        }
    }

    fn headers(&self, source: Source) -> Option<&OwnedHeaders> {
        self.topics.headers.then(|| self.template.headers(source))
    }

    /// A market's canonical name.
    pub(crate) fn canonical(&self, market: Option<u32>) -> &str {
        let instrument = market.and_then(|market| self.origin.instruments.get(market as usize));
        instrument.map_or("(not named)", |instrument| &instrument.canonical_symbol)
    }
}

fn instruments(request: &OpenRequest, plan: &SessionPlan) -> Vec<Instrument> {
    let names = request.markets.iter().map(|market| market.name.clone());
    names
        .zip(&plan.symbols)
        .map(|(canonical_symbol, symbol)| Instrument { canonical_symbol, symbol: symbol.clone() })
        .collect()
}
