//! What could not be decoded, and what was captured, decoded again.

mod captures;
mod letters;

use std::collections::BTreeMap;
use std::path::PathBuf;

use anyhow::{Context as _, Result};
use serde_json::Value;
use tapedeck_tests::kafka::Topic;
use tapedeck_tests::programs;

/// Trades as records hold them, by market and id.
type Trades = BTreeMap<(String, String), Value>;

/// A hostile plugin's file.
fn guest(name: &str) -> Result<PathBuf> {
    Ok(programs::hostile_plugins()?.join(format!("{name}.wasm")))
}

/// The trades of a topic; the last of several copies.
fn trades(topic: &Topic) -> Result<Trades> {
    topic.records()?.iter().map(|record| keyed(record.json()?)).collect()
}

fn keyed(trade: Value) -> Result<((String, String), Value)> {
    let text = |name: &str| trade[name].as_str().map(str::to_owned).with_context(|| format!("no {name} in {trade}"));
    Ok(((text("canonical_symbol")?, text("trade_id")?), trade))
}
