//! What a host costs as it grows: with markets, with sessions and with plugins, idle and under one and the same load.

use anyhow::Result;

use crate::report::Findings;
use crate::suite::Setting;

mod copies;
mod findings;
mod load;
mod stage;
mod start;

use stage::Stage;

/// Markets of one session.
const MARKETS: [usize; 3] = [1, 100, 1_000];
/// Sessions of one market each.
const SESSIONS: [usize; 4] = [1, 10, 50, 200];
/// Plugins, each with a feed.
const PLUGINS: [usize; 3] = [1, 5, 20];

/// Runs the part.
///
/// # Errors
/// Kafka or a host does not start, or a host is gone.
pub fn run(setting: &Setting) -> Result<Findings> {
    let stage = Stage::new(setting)?;
    load::warm_up(&stage)?;
    let markets = load::measure(&stage, "Markets of one session", &MARKETS.map(load::Size::Markets))?;
    let sessions = load::measure(&stage, "Sessions of one market", &SESSIONS.map(load::Size::Sessions))?;
    let plugins = start::measure(&stage, "Starts", &PLUGINS)?;
    Ok(findings::findings(markets, sessions, plugins))
}
