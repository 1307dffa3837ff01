//! The simulated exchange of a load, as a process.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

use anyhow::{Context, Result};
use serde::Deserialize;

use crate::programs;

/// A `tapedeck-sim` process that waits to be told to start. Killed when it is dropped.
#[derive(Debug)]
pub struct Publisher {
    child: Child,
    /// Base of WebSocket urls.
    pub websocket: String,
    /// Base of REST urls.
    pub rest: String,
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
    /// Starts an exchange that publishes at a rate (`5000`, `max`) once all of its markets are subscribed and it is told to.
    /// `flags` go beside those that every load has.
    ///
    /// # Errors
    /// It cannot be built or started, or does not say where it listens.
    pub fn start(exchange: &str, markets: &[&str], rate: &str, flags: &[&str]) -> Result<Self> {
        let mut command = Command::new(programs::folder()?.join("tapedeck-sim"));
        command.args(["--exchange", exchange, "--seed", "1", "--paused", "--rate", rate]);
        // Enough to start from, and no memory of millions: what was published is counted all the same.
        command.args(["--keep", "1000", "--slow-clients", "wait"]);
        command.args(["--markets", &markets.join(","), "--wait-for-subscribers", &markets.len().to_string()]);
        command.args(flags);
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().context("tapedeck-sim")?;
        let mut line = String::new();
        let stdout = child.stdout.take().context("the simulator has no stdout")?;
        BufReader::new(stdout).read_line(&mut line)?;
        let Urls { ws, rest } = serde_json::from_str(&line).context("the simulator does not say where it listens")?;
        Ok(Self { child, websocket: ws, rest })
    }

    /// Process id.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// `start` or `stop` publishing.
    ///
    /// # Errors
    /// It does not answer.
    pub fn tell(&self, what: &str) -> Result<()> {
        ureq::post(format!("{}/sim/{what}", self.rest)).send_empty()?;
        Ok(())
    }

    /// How many trades it has published.
    ///
    /// # Errors
    /// It does not answer.
    pub fn trades(&self) -> Result<u64> {
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
