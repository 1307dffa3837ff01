//! What the runtime counts, in Prometheus' terms.
//!
//! Labels are bounded: exchanges and sessions come from the configuration, kinds are fixed words.

use std::fmt;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::{Family, MetricConstructor};
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::{Registry, Unit};

mod heal;

use heal::HealFamilies;
pub use heal::HealMetrics;

use crate::sink::Tally;

/// The session that a figure belongs to.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct SessionLabels {
    /// Exchange id.
    pub exchange: String,
    /// Number of the session among the exchange's, from 0.
    pub session: u32,
}

/// A session and a kind of refusal.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct RefusalLabels {
    /// Exchange id.
    pub exchange: String,
    /// Number of the session.
    pub session: u32,
    /// Who refused: the plugin's kinds of refusal, or `protocol`.
    pub kind: &'static str,
}

/// A market of an exchange.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct MarketLabels {
    /// Exchange id.
    pub exchange: String,
    /// Canonical name.
    pub market: String,
}

#[derive(Clone, Debug)]
struct Buckets(f64, u16);

impl MetricConstructor<Histogram> for Buckets {
    fn new_metric(&self) -> Histogram {
        Histogram::new(exponential_buckets(self.0, 2.0, self.1))
    }
}

/// All families, registered once.
#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    frames: Family<SessionLabels, Counter>,
    frame_bytes: Family<SessionLabels, Counter>,
    trades: Family<SessionLabels, Counter>,
    duplicates: Family<SessionLabels, Counter>,
    refusals: Family<RefusalLabels, Counter>,
    rejected: Family<SessionLabels, Counter>,
    reconnects: Family<SessionLabels, Counter>,
    rotations: Family<SessionLabels, Counter>,
    connected: Family<SessionLabels, Gauge>,
    connections: Family<SessionLabels, Gauge>,
    unserved: Family<SessionLabels, Gauge>,
    silent: Family<MarketLabels, Gauge>,
    subscribed: Family<SessionLabels, Gauge>,
    send_queue: Family<SessionLabels, Gauge>,
    decode: Family<SessionLabels, Histogram, Buckets>,
    produce: Family<SessionLabels, Histogram, Buckets>,
    heal: HealFamilies,
    sink: SinkMetrics,
    capture: CaptureMetrics,
}

/// Figures of one session.
#[derive(Clone, Debug)]
pub struct SessionMetrics {
    labels: SessionLabels,
    refusals: Family<RefusalLabels, Counter>,
    /// Frames received.
    pub frames: Counter,
    /// Their bytes.
    pub frame_bytes: Counter,
    /// Trades handed to Kafka's producer.
    pub trades: Counter,
    /// Trades dropped since the session had them already.
    pub duplicates: Counter,
    /// Subscriptions that the exchange refused.
    pub rejected: Counter,
    /// Connections lost or given up.
    pub reconnects: Counter,
    /// Connections replaced by another before they ended.
    pub rotations: Counter,
    /// 1 while connected.
    pub connected: Gauge,
    /// Connections that are open or coming up: two while one replaces the other.
    pub connections: Gauge,
    /// Markets that the exchange refused, or did not answer about in time.
    pub unserved: Gauge,
    /// Markets whose subscription was confirmed.
    pub subscribed: Gauge,
    /// Messages that wait to be sent to the exchange.
    pub send_queue: Gauge,
    /// Seconds a batch takes in the plugin.
    pub decode: Histogram,
    /// Seconds from handing a record to the producer to Kafka's acknowledgement.
    pub produce: Histogram,
}

impl SessionMetrics {
    /// Counts a frame that gave no trade.
    pub fn refused(&self, kind: &'static str) {
        let SessionLabels { exchange, session } = self.labels.clone();
        self.refusals.get_or_create(&RefusalLabels { exchange, session, kind }).inc();
    }
}

/// Figures of the producer.
#[derive(Clone, Debug, Default)]
pub struct SinkMetrics {
    /// Records that Kafka has acknowledged.
    pub delivered: Counter,
    /// Deliveries that failed and are tried again.
    pub retried: Counter,
    /// Records that wait for an acknowledgement.
    pub in_flight: Tally,
    /// Times that a session had to wait since the producer's queue was full.
    pub waits: Counter,
    /// Records that went through the spool.
    pub spooled: Counter,
    /// Records in the spool.
    pub spool_records: Gauge,
    /// Bytes in the spool.
    pub spool_bytes: Gauge,
}

/// Figures of the capture of raw frames.
#[derive(Clone, Debug, Default)]
pub struct CaptureMetrics {
    /// Frames written.
    pub frames: Counter,
    /// Frames that are missing in it: it could not keep up, or could not be written.
    pub lost_frames: Counter,
    /// Bytes written, compressed.
    pub bytes: Counter,
    /// Old segments deleted to stay within the bound.
    pub deleted_segments: Counter,
}

impl Metrics {
    /// Registers every family.
    pub fn new() -> Self {
        let mut registry = Registry::with_prefix("tapedeck");
        let mut metrics = Self {
            frames: Family::default(),
            frame_bytes: Family::default(),
            trades: Family::default(),
            duplicates: Family::default(),
            refusals: Family::default(),
            rejected: Family::default(),
            reconnects: Family::default(),
            rotations: Family::default(),
            connected: Family::default(),
            connections: Family::default(),
            unserved: Family::default(),
            silent: Family::default(),
            subscribed: Family::default(),
            send_queue: Family::default(),
            decode: Family::new_with_constructor(Buckets(5e-6, 18)),
            produce: Family::new_with_constructor(Buckets(0.001, 15)),
            heal: HealFamilies::default(),
            sink: SinkMetrics::default(),
            capture: CaptureMetrics::default(),
            registry: Registry::default(),
        };
        registry.register("frames", "Frames received", metrics.frames.clone());
        registry.register("frame_bytes", "Bytes of the frames received", metrics.frame_bytes.clone());
        registry.register("trades", "Trades handed to the Kafka producer", metrics.trades.clone());
        registry.register("duplicates", "Trades dropped that the session had already", metrics.duplicates.clone());
        registry.register("refusals", "Frames that gave no trade, by kind", metrics.refusals.clone());
        registry.register("rejected_subscriptions", "Subscriptions refused", metrics.rejected.clone());
        registry.register("reconnects", "Connections lost or given up", metrics.reconnects.clone());
        registry.register("rotations", "Connections replaced before they ended", metrics.rotations.clone());
        registry.register("connections", "Connections open or coming up", metrics.connections.clone());
        registry.register("unserved_markets", "Markets refused or not answered", metrics.unserved.clone());
        registry.register("silent_market", "1 while a market is unusually silent", metrics.silent.clone());
        registry.register("connected", "1 while the session is connected", metrics.connected.clone());
        registry.register("subscribed_markets", "Markets with a confirmed subscription", metrics.subscribed.clone());
        registry.register("send_queue", "Messages that wait to be sent", metrics.send_queue.clone());
        registry.register_with_unit("decode", "Time of a batch in the plugin", Unit::Seconds, metrics.decode.clone());
        registry.register_with_unit("produce", "From handing to Kafka's yes", Unit::Seconds, metrics.produce.clone());
        metrics.heal.register(&mut registry);
        let sink = &metrics.sink;
        registry.register("delivered_records", "Records acknowledged by Kafka", sink.delivered.clone());
        registry.register("delivery_retries", "Deliveries that failed and are tried again", sink.retried.clone());
        registry.register("records_in_flight", "Records that wait for Kafka's yes", sink.in_flight.clone());
        registry.register("producer_waits", "Waits for room in the producer's queue", sink.waits.clone());
        let capture = &metrics.capture;
        registry.register("capture_frames", "Raw frames written to the capture", capture.frames.clone());
        registry.register("capture_lost_frames", "Raw frames that the capture is missing", capture.lost_frames.clone());
        registry.register("capture_bytes", "Bytes written to the capture", capture.bytes.clone());
        registry.register("capture_deleted_segments", "Old segments deleted", capture.deleted_segments.clone());
        registry.register("spooled_records", "Records that went through the spool", sink.spooled.clone());
        registry.register("spool_records", "Records in the spool", sink.spool_records.clone());
        registry.register("spool_size", "Bytes in the spool", sink.spool_bytes.clone());
        metrics.registry = registry;
        metrics
    }

    /// The figures of one session.
    pub fn session(&self, exchange: &str, session: u32) -> SessionMetrics {
        let labels = SessionLabels { exchange: exchange.to_owned(), session };
        SessionMetrics {
            refusals: self.refusals.clone(),
            frames: self.frames.get_or_create(&labels).clone(),
            frame_bytes: self.frame_bytes.get_or_create(&labels).clone(),
            trades: self.trades.get_or_create(&labels).clone(),
            duplicates: self.duplicates.get_or_create(&labels).clone(),
            rejected: self.rejected.get_or_create(&labels).clone(),
            reconnects: self.reconnects.get_or_create(&labels).clone(),
            rotations: self.rotations.get_or_create(&labels).clone(),
            connected: self.connected.get_or_create(&labels).clone(),
            connections: self.connections.get_or_create(&labels).clone(),
            unserved: self.unserved.get_or_create(&labels).clone(),
            subscribed: self.subscribed.get_or_create(&labels).clone(),
            send_queue: self.send_queue.get_or_create(&labels).clone(),
            decode: self.decode.get_or_create(&labels).clone(),
            produce: self.produce.get_or_create(&labels).clone(),
            labels,
        }
    }

    /// The figures of the gaps of one session's markets.
    pub fn heal(&self, session: &SessionMetrics) -> HealMetrics {
        self.heal.of(&session.labels)
    }

    /// Markets that are connected and unusually silent, 1 each.
    pub fn silent_markets(&self) -> Family<MarketLabels, Gauge> {
        self.silent.clone()
    }

    /// The figures of the producer.
    pub fn sink(&self) -> SinkMetrics {
        self.sink.clone()
    }

    /// The figures of the capture.
    pub fn capture(&self) -> CaptureMetrics {
        self.capture.clone()
    }

    /// All figures in the OpenMetrics text format.
    pub fn encode(&self) -> Result<String, fmt::Error> {
        let mut text = String::new();
        prometheus_client::encoding::text::encode(&mut text, &self.registry)?;
        Ok(text)
    }
}

impl Default for Metrics {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_appear_with_their_labels() {
        let metrics = Metrics::new();
        let session = metrics.session("acme", 1);
        session.frames.inc_by(3);
        session.refused("trap");
        let text = metrics.encode().unwrap_or_default();
        assert!(text.contains("tapedeck_frames_total{exchange=\"acme\",session=\"1\"} 3"), "{text}");
        assert!(text.contains("tapedeck_refusals_total{exchange=\"acme\",session=\"1\",kind=\"trap\"} 1"), "{text}");
    }
}
