//! Which plugin, open for which markets, may decode an exchange's letters.

use std::path::Path;
use std::sync::Arc;

use anyhow::{Context as _, bail};

use crate::config::{Config, FeedConfig};
use crate::feed::shards;
use crate::plugin::Plugin;
use crate::replay::{self, Decoder};

/// The connections that an exchange's feeds have, each with a decoder in place of its session.
#[derive(Debug)]
pub struct Candidates {
    /// Exchange id.
    pub exchange: String,
    /// In the order in which sessions are numbered.
    pub(super) decoders: Vec<Decoder>,
}

impl Candidates {
    /// Opens plugins for the markets of the configured feeds, each exchange by itself. With `file` that plugin is used, for
    /// the feeds that name it, or for all feeds of `exchange` if none does; else the newest of the plugin folder.
    ///
    /// # Errors
    /// A plugin is missing, or refuses its markets; no feed is of this exchange.
    pub fn open(config: &Config, exchange: Option<&str>, file: Option<&Path>) -> anyhow::Result<Vec<Self>> {
        let runtime = replay::runtime(&config.plugins)?;
        let named = file.map(|file| replay::load_file(&runtime, file)).transpose()?;
        // Where every feed has the plugin and the exchange that are named, the folder need not be there.
        let folder = replay::newest(&runtime, &config.plugins.folder);
        let plugins = match (folder, &named) {
            (Ok(plugins), _) => plugins,
            (Err(_), Some(_)) => Vec::new(),
            (Err(error), None) => return Err(error.into()),
        };
        let mut found: Vec<Self> = Vec::new();
        for (feed, plugin, of) in choose(config, &plugins, named.as_ref(), exchange)? {
            let index = found.iter().position(|candidates| candidates.exchange == of).unwrap_or_else(|| {
                found.push(Self { exchange: of.clone(), decoders: Vec::new() });
                found.len() - 1
            });
            for request in shards(feed, &plugin) {
                let decoder = Decoder::open(&plugin, &of, &request)
                    .with_context(|| format!("feed {} ({})", feed.places.number, feed.plugin))?;
                found[index].decoders.push(decoder);
            }
        }
        Ok(found)
    }

    /// What decodes, name and version of each plugin once.
    pub fn labels(&self) -> Vec<&str> {
        let mut labels: Vec<&str> = self.decoders.iter().map(|decoder| decoder.plugin().label()).collect();
        labels.sort_unstable();
        labels.dedup();
        labels
    }
}

type Choice<'a> = (&'a FeedConfig, Arc<Plugin>, String);

/// A plugin and an exchange id for each feed that is asked for.
fn choose<'a>(
    config: &'a Config,
    plugins: &[Arc<Plugin>],
    named: Option<&Arc<Plugin>>,
    exchange: Option<&str>,
) -> anyhow::Result<Vec<Choice<'a>>> {
    let mut choices = Vec::new();
    let mut missing = Vec::new();
    for feed in &config.feeds {
        let same_name = named.filter(|plugin| plugin.description().name == feed.plugin);
        let own = plugins.iter().find(|plugin| plugin.description().name == feed.plugin);
        let of = feed.exchange.clone();
        let Some(of) = of.or_else(|| Some(same_name.or(own)?.description().exchange.clone())) else {
            missing.push(feed.plugin.as_str());
            continue;
        };
        if exchange.is_some_and(|wanted| wanted != of) {
            continue;
        }
        // A plugin of another name is taken only where the exchange is said, so that it is not a slip.
        let plugin = match named {
            Some(named) => same_name.or_else(|| exchange.map(|_| named)),
            None => own,
        };
        match plugin {
            Some(plugin) => choices.push((feed, Arc::clone(plugin), of)),
            None if named.is_some() => {}
            None => missing.push(feed.plugin.as_str()),
        }
    }
    if !missing.is_empty() && named.is_none() {
        bail!(
            "no usable plugin {} in {}; put its .wasm file there, or name a file with --plugin",
            missing.join(", "),
            config.plugins.folder.display()
        );
    }
    if choices.is_empty() {
        match (exchange, named) {
            (Some(exchange), _) => bail!(
                "no [[feed]] is of exchange {exchange:?}: its markets are needed to decode its letters; add the feed"
            ),
            (None, Some(named)) => bail!(
                "no [[feed]] names plugin {}; say with --exchange whose letters it is to decode",
                named.description().name
            ),
            (None, None) => bail!("there is no feed"),
        }
    }
    Ok(choices)
}
