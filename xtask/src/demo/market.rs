//! A feed as the demo's configuration names it: a plugin, which is also the exchange to simulate, and its markets.

use anyhow::{Context, Result};
use toml::{Table, Value};

/// What one simulated exchange has to publish.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Feed {
    /// Name of plugin and exchange.
    pub(crate) exchange: String,
    /// Markets as tapedeck-sim takes them: `BTC/USDT`, or `BTC/USDT=XBTUSDT`.
    pub(crate) markets: Vec<String>,
}

impl Feed {
    /// Reads a `[[feed]]` of the configuration.
    pub(crate) fn read(table: &Table) -> Result<Self> {
        let exchange =
            table.get("plugin").and_then(Value::as_str).context("a feed of config/demo.toml has no plugin")?;
        let markets = table.get("markets").and_then(Value::as_array);
        let markets = markets.with_context(|| format!("the feed {exchange} of config/demo.toml has no markets"))?;
        let markets = markets.iter().map(market).collect::<Option<Vec<_>>>();
        let markets =
            markets.with_context(|| format!("a market of the feed {exchange} is neither text nor a table"))?;
        Ok(Self { exchange: exchange.to_owned(), markets })
    }
}

fn market(value: &Value) -> Option<String> {
    if let Some(name) = value.as_str() {
        return Some(name.to_owned());
    }
    let table = value.as_table()?;
    Some(format!("{}={}", table.get("market")?.as_str()?, table.get("symbol")?.as_str()?))
}
