//! Everything that can be built before anything connects: sessions, and who heals their gaps.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use tracing::warn;

use super::rest::Exchanges;
use crate::config::{Config, FeedConfig};
use crate::feed::{self, Feed, Topics};
use crate::heal::Healer;
use crate::metrics::Metrics;
use crate::plugin::{Plugin, PluginError, PluginFolder, Rate};
use crate::session::{Allowance, Backoff, ConnectBudgets, Dialer, SessionSettings, SessionStatus};
use crate::sink::Sink;

/// Bytes at which a batch is decoded, whatever its number of frames.
const BATCH_BYTES: usize = 1 << 20;

/// How long an exchange may take to answer a subscription.
const ANSWER_PATIENCE: Duration = Duration::from_secs(10);

/// How long a connection goes on beside its successor: more than two paths from an exchange differ by.
const OVERLAP: Duration = Duration::from_secs(2);

/// One connection's worth of markets: who reads them, and who asks for what was missed.
pub(super) struct Unit {
    pub(super) feed: Arc<Feed>,
    /// More than one where the feed is redundant.
    pub(super) sessions: Vec<SessionSettings>,
    pub(super) healer: Healer,
}

impl Unit {
    /// What it takes to see that its markets fall silent.
    pub(super) fn watched(&self) -> (Arc<Feed>, Vec<SessionStatus>) {
        (Arc::clone(&self.feed), self.sessions.iter().map(|settings| settings.status.clone()).collect())
    }
}

fn exchange<'a>(feed: &'a FeedConfig, plugin: &'a Plugin) -> &'a str {
    feed.exchange.as_deref().unwrap_or(&plugin.description().exchange)
}

/// The plugin of a feed.
fn find_plugin<'a>(config: &Config, feed: &FeedConfig, folder: &'a PluginFolder) -> anyhow::Result<&'a Arc<Plugin>> {
    folder.find(&feed.plugin).with_context(|| {
        let there: Vec<_> = folder.plugins().iter().map(|plugin| plugin.description().name.as_str()).collect();
        let unusable: String = folder.errors().iter().map(|error| format!("\n  {}", sentence(error))).collect();
        format!(
            "feed {}: no usable plugin {:?} in {}; put its .wasm file there, or name one that is there: {}{unusable}",
            feed.places.number,
            feed.plugin,
            config.plugins.folder.display(),
            if there.is_empty() { "none".to_owned() } else { there.join(", ") },
        )
    })
}

fn sentence(error: &PluginError) -> String {
    crate::session::chain(error)
}

/// Plans every session.
pub(super) fn units(
    config: &Config,
    plugins: &PluginFolder,
    sink: &Sink,
    metrics: &Metrics,
) -> anyhow::Result<Vec<Unit>> {
    for error in plugins.errors() {
        warn!(reason = sentence(error), "a plugin file is not used");
    }
    let mut exchanges = Exchanges::new().context("TLS is not usable")?;
    let dialer = Dialer::new(config.limits.frame_bytes).context("TLS is not usable")?;
    let backoff = Backoff { base: config.reconnect.base, cap: config.reconnect.cap };
    let budgets = ConnectBudgets::default();
    let mut numbers = BTreeMap::<String, u32>::new();
    let mut units = Vec::new();
    for feed_config in &config.feeds {
        let plugin = find_plugin(config, feed_config, plugins)?;
        let exchange = exchange(feed_config, plugin);
        let topics = Topics {
            trades: config.kafka.topic(exchange),
            dead_letters: config.kafka.dead_letter_topic(exchange),
            gaps: config.kafka.gap_topic(exchange),
        };
        let limits = plugin.description().limits;
        let lifetime = limits.lifetime.into_iter().chain(config.reconnect.lifetime).min();
        for request in feed::shards(feed_config, plugin) {
            let hosts = request.websocket_hosts(&plugin.description().hosts).map_err(anyhow::Error::msg)?;
            let rest = exchanges.rest(config, plugin, exchange, &request);
            let number = numbers.entry(exchange.to_owned()).or_default();
            let name = format!("{exchange}-{number}");
            let figures = metrics.session(exchange, *number);
            let feed = Feed::new(name, exchange, Arc::clone(plugin), request, sink.clone(), topics.clone())
                .with_context(|| format!("feed {} ({})", feed_config.places.number, feed_config.plugin))?;
            let feed = Arc::new(feed);
            let healer = Healer {
                feed: Arc::clone(&feed),
                rest,
                patience: config.backfill.patience,
                give_up: config.backfill.give_up,
                account: sink.account(&figures),
                metrics: metrics.heal(&figures),
            };
            let settings = |number: u32| SessionSettings {
                name: format!("{exchange}-{number}"),
                dialer: dialer.reaching(hosts.clone()),
                backoff,
                batch_frames: config.limits.batch_frames,
                batch_bytes: BATCH_BYTES,
                messages: allowance(limits.messages),
                connects: allowance(limits.connects),
                budgets: budgets.clone(),
                lifetime,
                answer: ANSWER_PATIENCE,
                overlap: lifetime.map_or(OVERLAP, |lifetime| OVERLAP.min(lifetime / 10)),
                metrics: metrics.session(exchange, number),
                status: SessionStatus::default(),
            };
            let sessions = (*number..*number + feed_config.redundancy).map(settings).collect();
            *number += feed_config.redundancy;
            units.push(Unit { feed, sessions, healer });
        }
    }
    Ok(units)
}

fn allowance(rate: Rate) -> Allowance {
    Allowance { count: rate.count, window: rate.window }
}
