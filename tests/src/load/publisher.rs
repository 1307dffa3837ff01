//! The simulated exchange of a load, as a process.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use anyhow::{Context, Result};
use serde::Deserialize;

/// A `tapedeck-sim` process that waits to be told to start. Killed when it is dropped.
#[derive(Debug)]
pub(super) struct Publisher {
    child: Child,
    pub(super) websocket: String,
    pub(super) rest: String,
}

#[derive(Deserialize)]
struct Urls {
    ws: String,
    rest: String,
}

#[derive(Deserialize)]
struct Status {
    trades: u64,
}

impl Publisher {
    pub(super) fn start(program: &Path, markets: &[&str], rate: &str) -> Result<Self> {
        let mut command = Command::new(program);
        command.args(["--exchange", "binance", "--seed", "1", "--paused", "--rate", rate]);
        // Enough to start from, and no memory of millions: what was published is counted all the same.
        command.args(["--keep", "1000", "--slow-clients", "wait"]);
        command.args(["--markets", &markets.join(","), "--wait-for-subscribers", &markets.len().to_string()]);
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().context("tapedeck-sim")?;
        let mut line = String::new();
        let stdout = child.stdout.take().context("the simulator has no stdout")?;
        BufReader::new(stdout).read_line(&mut line)?;
        let Urls { ws, rest } = serde_json::from_str(&line).context("the simulator does not say where it listens")?;
        Ok(Self { child, websocket: ws, rest })
    }

    pub(super) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// `start` or `stop` publishing.
    pub(super) fn tell(&self, what: &str) -> Result<()> {
        ureq::post(format!("{}/sim/{what}", self.rest)).send_empty()?;
        Ok(())
    }

    /// How many trades it has published.
    pub(super) fn trades(&self) -> Result<u64> {
        let text = ureq::get(format!("{}/sim/status", self.rest)).call()?.into_body().read_to_string()?;
        Ok(serde_json::from_str::<Status>(&text)?.trades)
    }
}

impl Drop for Publisher {
    fn drop(&mut self) {
        // Nobody is left to tell.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
