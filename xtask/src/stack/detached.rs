//! `cargo xtask stack up|down|status`: a stack that outlives the command that started it.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use clap::{Args, Subcommand};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde::{Deserialize, Serialize};

use super::{Stack, StackOptions, usage};
use crate::home::home;
use crate::interrupt;

/// How long each server may take to stop before it is killed.
const STOP: Duration = Duration::from_secs(20);
const RECORD: &str = "stack.toml";

/// The tasks of the detached stack.
#[derive(Debug, Subcommand)]
pub enum Task {
    /// Fetches Kafka and ClickHouse once, starts them and leaves them running.
    Up(Up),
    /// Stops them; their data stays.
    Down(Folder),
    /// Says whether they run, where, and what they use.
    Status(Folder),
}

/// Where the stack keeps its data.
#[derive(Debug, Args)]
pub struct Folder {
    /// Folder with the servers' data and logs [default: stack/ in the folder that `cargo xtask home` prints].
    #[arg(long)]
    folder: Option<PathBuf>,
}

/// Where the stack listens.
#[derive(Debug, Args)]
pub struct Up {
    #[command(flatten)]
    folder: Folder,
    /// Kafka's port for clients.
    #[arg(long, default_value_t = 9092)]
    kafka_port: u16,
    /// Port where Kafka talks to itself.
    #[arg(long, default_value_t = 9093)]
    controller_port: u16,
    /// ClickHouse's HTTP port.
    #[arg(long, default_value_t = 8123)]
    http_port: u16,
    /// ClickHouse's port for the native protocol.
    #[arg(long, default_value_t = 9000)]
    tcp_port: u16,
}

/// What `up` leaves behind for `down` and `status`.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Record {
    kafka: String,
    clickhouse: String,
    processes: Vec<Entry>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    name: String,
    pid: u32,
    /// Ticks since boot: a pid alone may by now belong to somebody else.
    started: u64,
}

impl Folder {
    fn path(&self) -> PathBuf {
        self.folder.clone().unwrap_or_else(|| home().join("stack"))
    }
}

impl Entry {
    fn new(name: &str, pid: u32) -> Self {
        Self { name: name.to_owned(), pid, started: usage::started(pid).unwrap_or(0) }
    }

    fn runs(&self) -> bool {
        usage::started(self.pid) == Some(self.started)
    }
}

/// Runs a task of the detached stack.
pub fn run(task: &Task) -> Result<()> {
    match task {
        Task::Up(up) => start(up),
        Task::Down(folder) => stop(&folder.path()),
        Task::Status(folder) => status(&folder.path()),
    }
}

fn start(up: &Up) -> Result<()> {
    // Asked to end before the servers are recorded, we must end them: nobody else would.
    interrupt::listen()?;
    let folder = up.folder.path();
    if let Some(record) = read(&folder)? {
        let running = record.processes.iter().filter(|entry| entry.runs()).count();
        if running == record.processes.len() {
            println!("the stack is already up: Kafka at {}, ClickHouse at {}", record.kafka, record.clickhouse);
            return Ok(());
        }
        if running > 0 {
            println!("half of the stack was still running; it is stopped first");
            stop(&folder)?;
        }
    }
    let stack = Stack::start(&StackOptions {
        folder: Some(folder.clone()),
        kafka_port: Some(up.kafka_port),
        controller_port: Some(up.controller_port),
        http_port: Some(up.http_port),
        tcp_port: Some(up.tcp_port),
        optimised: true,
        detached: true,
    })?;
    let record = Record {
        kafka: stack.kafka.clone(),
        clickhouse: stack.clickhouse_http.clone(),
        processes: vec![Entry::new("ClickHouse", stack.clickhouse().pid()), Entry::new("Kafka", stack.kafka().pid())],
    };
    let path = folder.join(RECORD);
    std::fs::write(&path, toml::to_string(&record)?)
        .with_context(|| format!("{} cannot be written", path.display()))?;
    println!("Kafka       {}", record.kafka);
    println!("ClickHouse  {} (native protocol: {})", record.clickhouse, up.tcp_port);
    println!("data, logs  {}", stack.folder.display());
    println!("stop it by `cargo xtask stack down`");
    Ok(())
}

fn stop(folder: &Path) -> Result<()> {
    let Some(record) = read(folder)? else {
        println!("no stack was started in {}", folder.display());
        return Ok(());
    };
    // ClickHouse is first in the record: it reads from Kafka.
    for entry in &record.processes {
        if !entry.runs() {
            println!("{} was not running", entry.name);
            continue;
        }
        end(entry)?;
        println!("{} stopped", entry.name);
    }
    let path = folder.join(RECORD);
    std::fs::remove_file(&path).with_context(|| format!("{} cannot be removed", path.display()))
}

fn end(entry: &Entry) -> Result<()> {
    let pid = Pid::from_raw(i32::try_from(entry.pid)?);
    for signal in [Signal::SIGTERM, Signal::SIGKILL] {
        kill(pid, signal).with_context(|| format!("{} (process {pid}) cannot be stopped", entry.name))?;
        let until = Instant::now() + STOP;
        while Instant::now() < until {
            if !entry.runs() {
                return Ok(());
            }
            std::thread::sleep(Duration::from_millis(50));
        }
    }
    bail!("{} (process {pid}) does not end", entry.name)
}

fn status(folder: &Path) -> Result<()> {
    let Some(record) = read(folder)? else {
        println!("down: no stack was started in {}", folder.display());
        return Ok(());
    };
    for entry in &record.processes {
        let address = if entry.name == "Kafka" { &record.kafka } else { &record.clickhouse };
        match usage::usage(entry.pid).filter(|_| entry.runs()) {
            Some(usage) => println!(
                "{:<11} up    {address}  process {}, {} MB, {} s of processor time",
                entry.name,
                entry.pid,
                usage.memory / 1_000_000,
                usage.cpu.as_secs()
            ),
            None => println!("{:<11} down  {address}", entry.name),
        }
    }
    Ok(())
}

fn read(folder: &Path) -> Result<Option<Record>> {
    let path = folder.join(RECORD);
    match std::fs::read_to_string(&path) {
        Ok(text) => {
            let record = toml::from_str(&text);
            Ok(Some(record.with_context(|| format!("{} is damaged; remove it", path.display()))?))
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error).with_context(|| format!("{} cannot be read", path.display())),
    }
}
