//! The host as a child process, and the tables that it makes.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, bail};

use crate::home::repository;
use crate::stack::process::Process;

/// How long it may take until it is ready.
const READY: Duration = Duration::from_secs(60);
/// How long it may take to drain.
const STOP: Duration = Duration::from_secs(30);

/// A running `tapedeck run`.
#[derive(Debug)]
pub(crate) struct Host {
    process: Process,
}

/// Runs `tapedeck sql apply` to its end.
pub(crate) fn apply_sql(binary: &Path, config: &Path, folder: &Path) -> Result<()> {
    let log = folder.join("sql.log");
    let output = std::fs::File::create(&log).with_context(|| format!("{} cannot be made", log.display()))?;
    let mut command = Command::new(binary);
    command.current_dir(repository()).args(["sql", "apply", "--config"]).arg(config);
    let errors = output.try_clone().context("the log cannot be opened twice")?;
    let status =
        command.stdin(Stdio::null()).stdout(output).stderr(errors).status().context("tapedeck cannot be started")?;
    if !status.success() {
        bail!("making ClickHouse's tables failed:\n{}", crate::stack::process::tail(&log));
    }
    Ok(())
}

impl Host {
    /// Starts it and waits until it is ready: subscribed, and connected to Kafka.
    pub(crate) fn start(binary: &Path, config: &Path, http: &str, folder: &Path) -> Result<Self> {
        let mut command = Command::new(binary);
        command.current_dir(repository()).args(["run", "--config"]).arg(config);
        let log = folder.join("tapedeck.log");
        let process = Process::spawn(command, "tapedeck", "build it by `cargo build`", &log, false)?;
        let ready = format!("http://{http}/ready");
        let agent = ureq::Agent::config_builder().timeout_global(Some(Duration::from_secs(2))).build().new_agent();
        process.await_ready(READY, || agent.get(&ready).call().is_ok())?;
        Ok(Self { process })
    }

    /// Fails, with the end of its log, if the process has ended.
    pub(crate) fn check(&self) -> Result<()> {
        self.process.check()
    }

    /// Lets it drain and end.
    pub(crate) fn stop(&self) -> Result<()> {
        self.process.stop(STOP)
    }
}
