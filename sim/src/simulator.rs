//! A simulator in this process: its start, and the handle that tests hold.

use std::fmt;
use std::io::{self, Write};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::runtime::Handle;

use crate::fault::{Fault, FaultRates};
use crate::hub::{Hub, StreamKind};
use crate::options::SimulatorOptions;
use crate::publisher::Publisher;
use crate::shared::Shared;
use crate::status::Status;
use crate::tape::Tape;
use crate::truth::{TruthTrade, stream_names, truth, write_truth};

/// How often [`Simulator::wait_until_finished`] looks.
const LOOK: Duration = Duration::from_millis(5);

/// Why a simulator does not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The options do not go together, or a file cannot be read; the text says which and why.
    #[error("{0}")]
    Options(String),
    /// The address is in use, or not one of this machine.
    #[error("cannot listen on {address}; choose another address, or port 0 for a free one")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// What the system says.
        source: io::Error,
    },
}

/// A running simulator. Dropping the handle stops it without waiting.
pub struct Simulator {
    shared: Arc<Shared>,
    address: SocketAddr,
    /// So that faults can be ordered from any thread.
    runtime: Handle,
}

impl Simulator {
    /// Starts a simulator on the current tokio runtime.
    ///
    /// # Errors
    /// If the options do not go together, a file cannot be read, or the address cannot be bound.
    pub async fn start(options: SimulatorOptions) -> Result<Self, StartError> {
        let mut markets = options.markets.clone();
        let tape = Tape::open(&options, &mut markets).map_err(StartError::Options)?;
        let address = options.listen;
        let listen_error = |source| StartError::Listen { address, source };
        let listener = TcpListener::bind(address).await.map_err(listen_error)?;
        let address = listener.local_addr().map_err(listen_error)?;
        let hub = hub_of(&options, markets, &tape);
        let shared = Arc::new(Shared::new(options, hub));
        shared.tasks.spawn(Publisher::new(Arc::clone(&shared), tape).run());
        shared.tasks.spawn(crate::server::run(Arc::clone(&shared), listener));
        let faults = shared.options.faults.clone();
        if let Some(every) = faults.cut {
            repeat(&shared, every, Fault::Cut);
        }
        if let Some(every) = faults.silence {
            repeat(&shared, every, Fault::Silence(Some(faults.silence_length())));
        }
        Ok(Self { shared, address, runtime: Handle::current() })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Base of WebSocket urls, `ws://127.0.0.1:PORT`.
    pub fn ws_url(&self) -> String {
        format!("ws://{}", self.address)
    }

    /// Base of REST urls, `http://127.0.0.1:PORT`.
    pub fn rest_url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// What it says of itself.
    pub fn status(&self) -> Status {
        self.shared.status()
    }

    /// Every distinct trade that was published, market by market, by id.
    pub fn truth(&self) -> Vec<TruthTrade> {
        truth(&self.shared)
    }

    /// Writes the truth as CSV.
    ///
    /// # Errors
    /// Those of the writer.
    pub fn write_truth(&self, out: &mut impl Write) -> io::Result<()> {
        write_truth(&self.shared, out)
    }

    /// Carries out a fault.
    ///
    /// # Errors
    /// Names a market that there is not.
    pub fn inject(&self, fault: Fault) -> Result<(), String> {
        let _entered = self.runtime.enter();
        self.shared.inject(fault)
    }

    /// Changes the rates of the faults of frames.
    pub fn set_rates(&self, rates: FaultRates) {
        self.shared.hub().rates = rates;
    }

    /// Begins to publish, or goes on.
    pub fn start_publishing(&self) {
        self.shared.want(true);
    }

    /// Stops publishing; the simulated clock stands meanwhile. What is under way is still published: look whether the
    /// status says `running`.
    pub fn stop_publishing(&self) {
        self.shared.want(false);
    }

    /// Waits until everything is published and written to the sockets.
    pub async fn wait_until_finished(&self) {
        while !self.status().finished {
            tokio::time::sleep(LOOK).await;
        }
    }

    /// Ends all connections and tasks. The truth and the status stay.
    pub async fn stop(&self) {
        self.shared.stopping.cancel();
        self.shared.tasks.close();
        self.shared.tasks.wait().await;
    }
}

impl fmt::Debug for Simulator {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Simulator").field("address", &self.address).finish_non_exhaustive()
    }
}

impl Drop for Simulator {
    fn drop(&mut self) {
        self.shared.stopping.cancel();
    }
}

/// A hub with the streams that the tape fills.
fn hub_of(options: &SimulatorOptions, markets: Vec<crate::market::Market>, tape: &Tape) -> Hub {
    let mut hub = Hub::new(options, markets);
    if let Tape::Recorded(recording) = tape {
        for stream in &recording.streams {
            hub.add_stream(stream.name.clone(), stream.market, StreamKind::Recorded);
        }
        return hub;
    }
    for market in 0..hub.markets.len() {
        for (name, kind) in stream_names(options.exchange, &hub.markets[market].symbol) {
            hub.add_stream(name, market, kind);
        }
    }
    hub
}

fn repeat(shared: &Arc<Shared>, every: Duration, fault: Fault) {
    let shared_for_task = Arc::clone(shared);
    shared.tasks.spawn(async move {
        let stopping = shared_for_task.stopping.clone();
        loop {
            tokio::select! {
                () = stopping.cancelled() => return,
                () = tokio::time::sleep(every) => {
                    // Neither a cut nor a silence can fail.
                    let _ = shared_for_task.inject(fault.clone());
                }
            }
        }
    });
}
