//! The local Kafka broker: its folder, its start, and what can be done to it.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result};

use super::process::Process;
use super::settings::{self, KafkaPorts};
use super::{probe, usage};
use crate::fetch::tool::JAVA;

/// How long a broker may take to shut down.
const STOP: Duration = Duration::from_secs(20);

/// Everything that a start needs; kept for restarts.
#[derive(Debug, Clone)]
pub(crate) struct Plan {
    pub(crate) folder: PathBuf,
    pub(crate) ports: KafkaPorts,
    pub(crate) jars: PathBuf,
    pub(crate) formatted: PathBuf,
    pub(crate) classes: Option<PathBuf>,
    /// Where the JVM shall write down the classes that it loaded, at its end.
    pub(crate) write_classes: Option<PathBuf>,
    /// Start fast rather than run fast: only the JVM's first compiler. Halves the start, costs a third of peak speed.
    pub(crate) quick: bool,
    pub(crate) detached: bool,
}

/// A Kafka broker as a child process.
#[derive(Debug)]
pub struct Broker {
    plan: Plan,
    process: std::sync::Mutex<std::sync::Arc<Process>>,
}

impl Broker {
    /// Prepares the folder if it is new, starts the broker and waits until it serves clients.
    pub(crate) fn start(plan: Plan, deadline: Duration) -> Result<Self> {
        prepare(&plan)?;
        let process = launch(&plan, deadline)?;
        Ok(Self { plan, process: std::sync::Mutex::new(process.into()) })
    }

    /// Address for clients.
    pub fn address(&self) -> String {
        format!("127.0.0.1:{}", self.plan.ports.broker)
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

    /// Starts it again on the same port and data, and waits until it serves; stops it first if it still runs.
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

    fn process(&self) -> std::sync::Arc<Process> {
        self.lock().clone()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, std::sync::Arc<Process>> {
        self.process.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

/// The broker's log in its folder.
fn log(folder: &Path) -> PathBuf {
    folder.join("server.log")
}

/// Writes the settings, and gives a new broker a copy of the formatted storage.
fn prepare(plan: &Plan) -> Result<()> {
    let folder = &plan.folder;
    let data = folder.join("data");
    std::fs::create_dir_all(folder).with_context(|| format!("the folder {} cannot be made", folder.display()))?;
    let write = |name: &str, text: &str| {
        std::fs::write(folder.join(name), text)
            .with_context(|| format!("{name} cannot be written in {}; is the disk full?", folder.display()))
    };
    write("server.properties", &settings::kafka(&plan.ports, &data))?;
    write("log4j2.yaml", settings::KAFKA_LOGGING)?;
    if !data.exists() {
        // Copied beside and moved, so that a torn copy is never taken for a storage folder.
        let copy = folder.join("data.new");
        copy_folder(&plan.formatted, &copy)
            .and_then(|()| Ok(std::fs::rename(&copy, &data)?))
            .with_context(|| format!("Kafka's storage cannot be made in {}; is the disk full?", folder.display()))?;
    }
    Ok(())
}

fn launch(plan: &Plan, deadline: Duration) -> Result<Process> {
    let mut command = JAVA.command();
    command.current_dir(&plan.folder).args(["-Xmx384m", "-XX:+UseSerialGC"]);
    if plan.quick {
        command.arg("-XX:TieredStopAtLevel=1");
    }
    if let Some(classes) = &plan.classes {
        // Made by another JVM, it is ignored; not worth a line in the log.
        command.arg(format!("-XX:SharedArchiveFile={}", classes.display())).args(["-Xshare:auto", "-Xlog:cds=off"]);
    }
    if let Some(classes) = &plan.write_classes {
        command.arg(format!("-XX:ArchiveClassesAtExit={}", classes.display())).args(["-Xlog:cds=off"]);
    }
    command.arg("-Dlog4j2.configurationFile=log4j2.yaml").arg("-cp").arg(class_path(&plan.jars)?);
    command.args(["kafka.Kafka", "server.properties"]);
    let process = Process::spawn(command, "Kafka", JAVA.install, &log(&plan.folder), plan.detached)?;
    process.await_ready(deadline, || probe::kafka_serves(plan.ports.broker))?;
    Ok(process)
}

/// Every jar by its path, in a fixed order: the JVM's image of the classes is only valid for the very same list.
fn class_path(jars: &Path) -> Result<String> {
    let entries = std::fs::read_dir(jars).with_context(|| format!("{} cannot be read", jars.display()))?;
    let mut paths: Vec<String> = entries.flatten().map(|entry| entry.path().display().to_string()).collect();
    paths.sort();
    Ok(paths.join(":"))
}

fn copy_folder(from: &Path, to: &Path) -> Result<()> {
    if to.exists() {
        std::fs::remove_dir_all(to)?;
    }
    std::fs::create_dir_all(to)?;
    for entry in std::fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy_folder(&entry.path(), &target)?;
        } else {
            std::fs::copy(entry.path(), target)?;
        }
    }
    Ok(())
}
