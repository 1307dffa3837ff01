//! The feeds and their plugins: what only a plugin can judge.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::{Findings, count};
use crate::config::{Config, FeedConfig, Place, did_you_mean, listed, overlaps};
use crate::feed::shards;
use crate::plugin::{OpenFailure, OpenRequest, Plugin, PluginError, PluginFolder, Runtime, RuntimeSettings, TradeIds};
use crate::session::chain;

/// What was found, and the exchanges of the feeds whose plugin is there.
#[derive(Debug, Default)]
pub struct Feeds {
    /// What was found.
    pub findings: Findings,
    /// Exchange ids, as they are part of topics and tables.
    pub exchanges: BTreeSet<String>,
    /// How trade ids behave there, where the plugin could be asked.
    pub trade_ids: BTreeMap<String, TradeIds>,
    /// The plugins, for who goes on with them.
    pub plugins: PluginFolder,
}

/// Loads the plugins and has them plan every connection, without connecting.
pub fn feeds(config: &Config) -> Feeds {
    let mut feeds = Feeds::default();
    feeds.exchanges.extend(config.feeds.iter().filter_map(|feed| feed.exchange.clone()));
    let Some(folder) = load(config, &mut feeds.findings) else { return feeds };
    let mut exchange_of_feed = Vec::new();
    for feed in &config.feeds {
        let Some(plugin) = find(config, feed, &folder, &mut feeds.findings) else {
            exchange_of_feed.push(None);
            continue;
        };
        let exchange = feed.exchange.clone().unwrap_or_else(|| plugin.description().exchange.clone());
        feeds.exchanges.insert(exchange.clone());
        remember_ids(&mut feeds.trade_ids, &exchange, plugin);
        exchange_of_feed.push(Some(exchange));
        judge(feed, plugin, &mut feeds.findings);
    }
    let exchange_of = |feed: &FeedConfig| exchange_of_feed.get(feed.places.number.wrapping_sub(1)).cloned().flatten();
    let known: Vec<FeedConfig> = config.feeds.iter().filter(|feed| exchange_of(feed).is_some()).cloned().collect();
    for problem in overlaps(&known, |feed| exchange_of(feed).unwrap_or_default()) {
        feeds.findings.problems.push(problem.to_string());
    }
    feeds.plugins = folder;
    feeds
}

/// The exchanges of all feeds; plugins are only asked where a feed does not say.
///
/// # Errors
/// A plugin that has to be asked is not there.
pub fn exchanges(config: &Config) -> Result<BTreeSet<String>, Findings> {
    if let Some(said) = config.feeds.iter().map(|feed| feed.exchange.clone()).collect() {
        return Ok(said);
    }
    let mut findings = Findings::default();
    let Some(folder) = load(config, &mut findings) else { return Err(findings) };
    findings = Findings::default();
    let mut exchanges = BTreeSet::new();
    for feed in &config.feeds {
        if let Some(exchange) = &feed.exchange {
            exchanges.insert(exchange.clone());
        } else if let Some(plugin) = find(config, feed, &folder, &mut findings) {
            exchanges.insert(plugin.description().exchange.clone());
        }
    }
    if findings.problems.is_empty() { Ok(exchanges) } else { Err(findings) }
}

/// How trade ids behave on the exchanges whose plugin is there. A plugin that is not is no error here.
pub fn trade_ids(config: &Config) -> BTreeMap<String, TradeIds> {
    let mut ids = BTreeMap::new();
    let mut unheard = Findings::default();
    let Some(folder) = load(config, &mut unheard) else { return ids };
    for feed in &config.feeds {
        if let Some(plugin) = folder.find(&feed.plugin) {
            let exchange = feed.exchange.as_ref().unwrap_or(&plugin.description().exchange);
            remember_ids(&mut ids, exchange, plugin);
        }
    }
    ids
}

/// Where the plugins of one exchange say different things, the one that promises least counts.
fn remember_ids(known: &mut BTreeMap<String, TradeIds>, exchange: &str, plugin: &Plugin) {
    let promise = |ids: TradeIds| match ids {
        TradeIds::Opaque => 0,
        TradeIds::Increasing => 1,
        TradeIds::Aggregated => 2,
        TradeIds::Dense => 3,
    };
    let said = plugin.description().ids;
    let kept = known.entry(exchange.to_owned()).or_insert(said);
    if promise(said) < promise(*kept) {
        *kept = said;
    }
}

fn load(config: &Config, findings: &mut Findings) -> Option<PluginFolder> {
    let settings = RuntimeSettings {
        memory_bytes: usize::try_from(config.plugins.memory_bytes).unwrap_or(usize::MAX),
        call_time: config.plugins.time,
        cache_folder: Some(config.plugins.cache.clone()),
    };
    let runtime = match Runtime::new(&settings) {
        Ok(runtime) => runtime,
        Err(error) => {
            findings.problems.push(chain(&error));
            return None;
        }
    };
    let folder = match PluginFolder::load(&runtime, &config.plugins.folder) {
        Ok(folder) => folder,
        Err(error) => {
            let build = "; `cargo xtask plugins` builds those of this project into target/plugins";
            findings.problems.push(format!("{}{build}", chain(&error)));
            return None;
        }
    };
    for error in folder.errors() {
        // A file that no feed needs keeps nothing from working, but of two files with one name the wrong one may be used.
        let duplicate = matches!(error, PluginError::DuplicateName { .. });
        let list = if duplicate { &mut findings.problems } else { &mut findings.notes };
        list.push(chain(error));
    }
    Some(folder)
}

/// The plugin of a feed, or a problem with the nearest name.
fn find<'a>(
    config: &Config,
    feed: &FeedConfig,
    folder: &'a PluginFolder,
    findings: &mut Findings,
) -> Option<&'a Arc<Plugin>> {
    let plugin = folder.find(&feed.plugin);
    if plugin.is_none() {
        let names = || folder.plugins().iter().map(|plugin| plugin.description().name.as_str());
        let near = did_you_mean(&feed.plugin, names());
        let there = if near.is_empty() { format!("; there are {}", listed(names())) } else { near };
        let (place, number, name) = (&feed.places.plugin, feed.places.number, &feed.plugin);
        let shown = config.plugins.folder.display();
        let mut problem = format!("{place}: `feed[{number}].plugin`: no usable plugin \"{name}\" in {shown}{there}");
        // A file named like it is probably it.
        let broken = folder
            .errors()
            .iter()
            .find(|error| error.path().file_stem().is_some_and(|stem| stem.to_string_lossy().contains(name.as_str())));
        if let Some(error) = broken {
            problem = format!("{problem} ({})", chain(error));
        }
        findings.problems.push(problem);
    }
    plugin
}

/// Options that the plugin does not know, and markets and endpoints that it refuses.
fn judge(feed: &FeedConfig, plugin: &Arc<Plugin>, findings: &mut Findings) {
    let (number, before) = (feed.places.number, findings.problems.len());
    let options = &plugin.description().options;
    for name in feed.options.keys() {
        if options.iter().any(|option| option.name == *name) {
            continue;
        }
        let names = || options.iter().map(|option| option.name.as_str());
        let near = did_you_mean(name, names());
        let there = if near.is_empty() { format!("; it knows {}", listed(names())) } else { near };
        let place = feed.places.options.get(name).unwrap_or(&feed.places.plugin);
        let shown = name.escape_debug();
        findings.problems.push(format!(
            "{place}: `feed[{number}].options.{shown}`: plugin {} has no such option{there}",
            plugin.label()
        ));
    }
    if findings.problems.len() > before {
        // The plugin would only repeat what was just said.
        return;
    }
    for request in shards(feed, plugin) {
        open_all(feed, plugin, request, findings);
    }
    if findings.problems.len() == before {
        let markets = count(feed.markets.len(), "market");
        findings.passed.push(format!("feed[{number}]: plugin {} takes its {markets}", plugin.label()));
    }
}

/// Opens a request, leaving out one refused market after the other so that all of them are reported.
fn open_all(feed: &FeedConfig, plugin: &Arc<Plugin>, mut request: OpenRequest, findings: &mut Findings) {
    while !request.markets.is_empty() {
        let Err(failure) = plugin.open(request.clone()) else { return };
        let refused = match &failure {
            OpenFailure::Refused { market: Some(name), .. } => {
                request.markets.iter().position(|market| market.name == *name)
            }
            _ => None,
        };
        let place = refused.map_or(&feed.places.plugin, |index| {
            place_of_market(feed, &request.markets[index].name).unwrap_or(&feed.places.plugin)
        });
        let key = if refused.is_some() { "markets" } else { "plugin" };
        let number = feed.places.number;
        findings.problems.push(format!("{place}: `feed[{number}].{key}`: {}", chain(&failure)));
        let Some(index) = refused else { return };
        request.markets.remove(index);
    }
}

fn place_of_market<'a>(feed: &'a FeedConfig, name: &str) -> Option<&'a Place> {
    let index = feed.markets.iter().position(|market| market.name == name)?;
    feed.places.markets.get(index)
}
