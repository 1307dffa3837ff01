//! A simulated exchange as a child process, and its control endpoints.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use serde::Deserialize;

use super::Options;
use super::market::Feed;
use crate::stack::process::Process;

/// How long it may take until it listens.
const READY: Duration = Duration::from_secs(30);
/// How long an answer may take.
const TIMEOUT: Duration = Duration::from_secs(30);

/// A running simulator.
#[derive(Debug)]
pub(crate) struct Exchange {
    /// Its name.
    pub(crate) name: String,
    /// Base address of its WebSocket.
    pub(crate) socket: String,
    /// Base address of its REST interface, where the controls are as well.
    pub(crate) rest: String,
    process: Process,
}

/// The line that it prints once it listens.
#[derive(Deserialize)]
struct Hello {
    ws: String,
    rest: String,
}

#[derive(Deserialize)]
struct Status {
    trades: u64,
}

impl Exchange {
    /// Starts it on a free port. It publishes nothing until all markets of the feed are subscribed.
    pub(crate) fn start(binary: &Path, feed: Feed, options: &Options, folder: &Path) -> Result<Self> {
        let log = folder.join(format!("{}.log", feed.exchange));
        let mut command = Command::new(binary);
        command.args(["--exchange", &feed.exchange, "--listen", "127.0.0.1:0", "--markets", &feed.markets.join(",")]);
        command.args(["--rate", &options.rate.to_string(), "--seed", &options.seed.to_string()]);
        command.args(["--faults", &options.faults, "--wait-for-subscribers", &feed.markets.len().to_string()]);
        let process = Process::spawn(command, "the simulated exchange", "build it by `cargo build`", &log, false)?;
        let hello = || {
            let text = std::fs::read_to_string(&log).ok()?;
            text.lines().find_map(|line| serde_json::from_str::<Hello>(line).ok())
        };
        process.await_ready(READY, || hello().is_some())?;
        let Some(Hello { ws, rest }) = hello() else {
            bail!("the simulated {} did not say where it listens", feed.exchange)
        };
        Ok(Self { name: feed.exchange, socket: ws, rest, process })
    }

    /// Lets it stop publishing. Connections stay.
    pub(crate) fn stop_publishing(&self) -> Result<()> {
        self.check()?;
        let answer = agent().post(format!("{}/sim/stop", self.rest)).send_empty();
        answer.map(drop).with_context(|| format!("the simulated {} does not answer", self.name))
    }

    /// Distinct trades that it has published.
    pub(crate) fn published(&self) -> Result<u64> {
        let status: Status = serde_json::from_str(&self.get("status")?)?;
        Ok(status.trades)
    }

    /// Every distinct trade that it has published, as CSV.
    pub(crate) fn truth(&self) -> Result<String> {
        self.get("truth")
    }

    /// Fails if the process has ended.
    pub(crate) fn check(&self) -> Result<()> {
        self.process.check()
    }

    fn get(&self, what: &str) -> Result<String> {
        self.check()?;
        let place = || format!("the simulated {} does not give its {what}", self.name);
        let answer = agent().get(format!("{}/sim/{what}", self.rest)).call().with_context(place)?;
        answer.into_body().into_with_config().limit(u64::MAX).read_to_string().with_context(place)
    }
}

fn agent() -> ureq::Agent {
    ureq::Agent::config_builder().timeout_global(Some(TIMEOUT)).build().new_agent()
}
