//! Simulated exchanges in this process.

use std::sync::OnceLock;
use std::time::Duration;

use anyhow::{Context, Result, anyhow};
use tapedeck_sim::{Fault, Simulator, SimulatorOptions, Status};
use tokio::runtime::Runtime;
use xtask::truth::Trades;

/// The runtime that all simulated exchanges run on.
///
/// # Panics
/// The machine gives no threads.
#[expect(clippy::expect_used)]
pub fn runtime() -> &'static Runtime {
    static RUNTIME: OnceLock<Runtime> = OnceLock::new();
    RUNTIME.get_or_init(|| {
        let mut builder = tokio::runtime::Builder::new_multi_thread();
        builder.worker_threads(2).enable_all().build().expect("threads for a runtime")
    })
}

/// A simulated exchange, ended when it is dropped.
#[derive(Debug)]
pub struct Exchange {
    simulator: Simulator,
}

impl Exchange {
    /// Starts it.
    ///
    /// # Errors
    /// The options do not go together, or a file cannot be read.
    pub fn start(options: SimulatorOptions) -> Result<Self> {
        let simulator = runtime().block_on(Simulator::start(options)).context("a simulated exchange does not start")?;
        Ok(Self { simulator })
    }

    /// Base of WebSocket urls.
    pub fn websocket(&self) -> String {
        self.simulator.ws_url()
    }

    /// Base of REST urls.
    pub fn rest(&self) -> String {
        self.simulator.rest_url()
    }

    /// What it says of itself.
    pub fn status(&self) -> Status {
        self.simulator.status()
    }

    /// The simulator itself, to start and stop publishing.
    pub fn simulator(&self) -> &Simulator {
        &self.simulator
    }

    /// Carries out a fault.
    ///
    /// # Errors
    /// Names a market that there is not.
    pub fn inject(&self, fault: Fault) -> Result<()> {
        self.simulator.inject(fault).map_err(|reason| anyhow!("{reason}"))
    }

    /// Waits until everything is published and written to the sockets.
    ///
    /// # Errors
    /// It is not in time.
    pub fn wait_until_finished(&self, patience: Duration) -> Result<()> {
        let finished = async { tokio::time::timeout(patience, self.simulator.wait_until_finished()).await };
        let waited = runtime().block_on(finished);
        waited.map_err(|_| anyhow!("the exchange has not published everything: {:?}", self.status()))
    }

    /// Every distinct trade that it published.
    ///
    /// # Errors
    /// Two trades have one id.
    pub fn truth(&self) -> Result<Trades> {
        let mut csv = Vec::new();
        self.simulator.write_truth(&mut csv)?;
        let mut truth = Trades::default();
        truth.read_csv(csv.as_slice())?;
        Ok(truth)
    }
}
