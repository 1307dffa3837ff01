//! The local ClickHouse server: its folder, its start, and what can be done to it.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use anyhow::{Context, Result};

use super::process::Process;
use super::query::Client;
use super::settings::{self, ClickHousePorts};
use super::{launcher, usage};

/// How long it may take to shut down.
const STOP: Duration = Duration::from_secs(20);

/// Everything that a start needs; kept for restarts.
#[derive(Debug, Clone)]
pub(crate) struct Plan {
    pub(crate) folder: PathBuf,
    pub(crate) ports: ClickHousePorts,
    pub(crate) library: PathBuf,
    pub(crate) detached: bool,
}

/// A ClickHouse server as a child process.
#[derive(Debug)]
pub struct Server {
    plan: Plan,
    process: Mutex<Arc<Process>>,
}

impl Server {
    /// Prepares the folder, starts the server and waits until it answers a query.
    pub(crate) fn start(plan: Plan, deadline: Duration) -> Result<Self> {
        let folder = &plan.folder;
        std::fs::create_dir_all(folder).with_context(|| format!("the folder {} cannot be made", folder.display()))?;
        let write = |name: &str, text: &str| {
            std::fs::write(folder.join(name), text)
                .with_context(|| format!("{name} cannot be written in {}; is the disk full?", folder.display()))
        };
        write("config.xml", &settings::clickhouse(&plan.ports, folder))?;
        write("users.xml", settings::CLICKHOUSE_USERS)?;
        let process = launch(&plan, deadline)?;
        Ok(Self { plan, process: Mutex::new(process.into()) })
    }

    /// URL of the HTTP interface.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.plan.ports.http)
    }

    /// Port of the native protocol.
    pub fn tcp_port(&self) -> u16 {
        self.plan.ports.tcp
    }

    /// A client for SQL.
    pub fn client(&self) -> Client {
        Client::new(&self.url())
    }

    /// Process id.
    pub fn pid(&self) -> u32 {
        self.process().pid()
    }

    /// kill -9.
    pub fn kill9(&self) -> Result<()> {
        self.process().kill9()
    }

    /// SIGTERM, and waits until it has ended.
    pub fn stop(&self) -> Result<()> {
        self.process().stop(STOP)
    }

    /// Starts it again on the same ports and data, and waits until it answers; stops it first if it still runs.
    pub fn restart(&self) -> Result<()> {
        self.stop()?;
        let process = launch(&self.plan, super::READY)?;
        *self.lock() = process.into();
        Ok(())
    }

    /// Memory and processor time, or none if it does not run.
    pub fn usage(&self) -> Option<usage::Usage> {
        usage::usage(self.pid())
    }

    fn process(&self) -> Arc<Process> {
        self.lock().clone()
    }

    fn lock(&self) -> MutexGuard<'_, Arc<Process>> {
        self.process.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn launch(plan: &Plan, deadline: Duration) -> Result<Process> {
    let data = plan.folder.join("data");
    forget_system_tables(&data)?;
    let mut command = Command::new(launcher::program()?);
    command.current_dir(&plan.folder).arg(launcher::COMMAND);
    command.arg("--library").arg(&plan.library).arg("--config").arg(plan.folder.join("config.xml"));
    command.arg("--path").arg(&data);
    let process = Process::spawn(
        command,
        "ClickHouse",
        "build it by `cargo build -p xtask`",
        &plan.folder.join("output.log"),
        plan.detached,
    )?;
    let client = Client::new(&format!("http://127.0.0.1:{}", plan.ports.http));
    process
        .await_ready(deadline, || client.ping() && client.query("SELECT 1").is_ok_and(|answer| answer.trim() == "1"))?;
    Ok(process)
}

/// The library's log tables of an earlier run do not load again and would fail the start. They hold nothing of ours.
fn forget_system_tables(data: &Path) -> Result<()> {
    let system = data.join("data/system");
    match std::fs::remove_dir_all(&system) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(error).with_context(|| format!("{} cannot be removed", system.display()))
        }
        _ => Ok(()),
    }
}
