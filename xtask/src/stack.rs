//! The local stack: a real Kafka and a real ClickHouse as child processes, for the demo, the tests and development.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Result, anyhow};
use tempfile::TempDir;

use crate::fetch::{self, Parts};

pub(crate) mod clickhouse;
pub mod detached;
pub(crate) mod kafka;
pub mod launcher;
pub mod ports;
mod probe;
pub mod process;
pub mod query;
pub(crate) mod settings;
mod temporary;
pub mod usage;

pub use clickhouse::Server;
pub use kafka::Broker;
pub use query::Client;

/// How long a server may take to be ready: many may start at once on few cores.
pub(crate) const READY: Duration = Duration::from_secs(120);

/// Where and how to start a stack. The default: free ports, a temporary folder, ended with this process.
#[derive(Debug, Clone, Default)]
pub struct StackOptions {
    /// Folder for data and logs, kept at the end; without one a temporary folder, removed at the end.
    pub folder: Option<PathBuf>,
    /// Kafka's port; a free one by default.
    pub kafka_port: Option<u16>,
    /// Port where Kafka talks to itself; a free one by default.
    pub controller_port: Option<u16>,
    /// ClickHouse's HTTP port; a free one by default.
    pub http_port: Option<u16>,
    /// ClickHouse's port for the native protocol; a free one by default.
    pub tcp_port: Option<u16>,
    /// Let Kafka's JVM compile for speed, at the price of a start that takes twice as long. For measurements.
    pub optimised: bool,
    /// Let the servers outlive this process.
    pub detached: bool,
}

/// A running Kafka and ClickHouse. Both end when it is dropped (unless detached), and when this process dies.
#[derive(Debug)]
pub struct Stack {
    /// Kafka's address for clients, `127.0.0.1:<port>`.
    pub kafka: String,
    /// URL of ClickHouse's HTTP interface.
    pub clickhouse_http: String,
    /// Folder with the servers' data and logs.
    pub folder: PathBuf,
    // Dropped in this order: ClickHouse reads from Kafka, and the folder goes last.
    clickhouse: Server,
    broker: Broker,
    _temporary: Option<TempDir>,
}

impl Stack {
    /// Fetches what is missing, starts both servers at once and waits until both are ready.
    ///
    /// Fails with a sentence: what is missing or in the way, or how the server's log ends.
    pub fn start(options: &StackOptions) -> Result<Self> {
        let parts = fetch::fetch(fetch::Show::Bars)?;
        let (folder, temporary) = match &options.folder {
            Some(folder) => {
                std::fs::create_dir_all(folder)
                    .with_context(|| format!("the folder {} cannot be made", folder.display()))?;
                (folder.canonicalize()?, None)
            }
            None => {
                let temporary = temporary::folder()?;
                (temporary.path().to_path_buf(), Some(temporary))
            }
        };
        let (broker, clickhouse) = start_both(&parts, options, &folder)?;
        Ok(Self {
            kafka: broker.address(),
            clickhouse_http: clickhouse.url(),
            folder,
            clickhouse,
            broker,
            _temporary: temporary,
        })
    }

    /// The Kafka broker, to kill, stop, restart or measure it.
    pub fn kafka(&self) -> &Broker {
        &self.broker
    }

    /// The ClickHouse server, to kill, stop, restart, measure or query it.
    pub fn clickhouse(&self) -> &Server {
        &self.clickhouse
    }

    /// Stops both in an orderly way, ClickHouse first: it reads from Kafka.
    pub fn stop(&self) -> Result<()> {
        self.clickhouse.stop()?;
        self.broker.stop()
    }
}

fn start_both(parts: &Parts, options: &StackOptions, folder: &std::path::Path) -> Result<(Broker, Server)> {
    let kafka_ports = settings::KafkaPorts {
        broker: port(options.kafka_port, "Kafka", "--kafka-port")?,
        controller: port(options.controller_port, "Kafka's controller", "--controller-port")?,
    };
    let clickhouse_ports = settings::ClickHousePorts {
        http: port(options.http_port, "ClickHouse's HTTP interface", "--http-port")?,
        tcp: port(options.tcp_port, "ClickHouse's native protocol", "--tcp-port")?,
    };
    let kafka = kafka::Plan {
        folder: folder.join("kafka"),
        ports: kafka_ports,
        jars: parts.jars.clone(),
        formatted: parts.formatted.clone(),
        classes: parts.classes.clone(),
        write_classes: None,
        quick: !options.optimised,
        detached: options.detached,
    };
    let clickhouse = clickhouse::Plan {
        folder: folder.join("clickhouse"),
        ports: clickhouse_ports,
        library: parts.library.clone(),
        detached: options.detached,
    };
    let (broker, server) = std::thread::scope(|scope| {
        let broker = scope.spawn(|| Broker::start(kafka, READY));
        let server = Server::start(clickhouse, READY);
        (broker.join(), server)
    });
    let broker = broker.map_err(|_| anyhow!("the thread that starts Kafka panicked"))?;
    match (broker, server) {
        (Ok(broker), Ok(server)) => Ok((broker, server)),
        // One of them alone is of no use, and a detached one would stay behind.
        (Ok(broker), Err(error)) => {
            let _ = broker.kill9();
            Err(error)
        }
        (Err(error), Ok(server)) => {
            let _ = server.kill9();
            Err(error)
        }
        (Err(error), Err(_)) => Err(error),
    }
}

fn port(wanted: Option<u16>, server: &str, flag: &str) -> Result<u16> {
    match wanted {
        Some(port) => ports::demand(port, server, flag).map(|()| port),
        None => ports::free(),
    }
}
