//! An exchange on loopback that speaks Binance's and Kraken's protocols by their documented rules, publishes trades that
//! are a pure function of a seed (or come from a recording), misbehaves on demand, and knows the truth.
//!
//! ```no_run
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! use tapedeck_sim::{Exchange, Fault, Simulator, SimulatorOptions};
//!
//! let mut options = SimulatorOptions::new(Exchange::Binance).with_markets(["BTC/USDT", "ETH/USDT"])?;
//! options.seed = 7;
//! options.trades = Some(10_000);
//! options.wait_for_subscribers = 2;
//! let simulator = Simulator::start(options).await?;
//! println!("connect to {}", simulator.ws_url());
//! simulator.wait_until_finished().await;
//! simulator.inject(Fault::Cut)?;
//! assert_eq!(simulator.truth().len(), 10_000);
//! simulator.stop().await;
//! # Ok(())
//! # }
//! ```

mod binance;
mod connection;
mod control;
mod fault;
mod generator;
mod history;
mod hub;
mod kraken;
mod market;
mod options;
mod outbox;
mod publisher;
mod recording;
mod rest;
mod server;
mod simulator;
mod status;
mod tape;
mod trade;
mod trades_csv;
mod truth;

mod decimal;
mod frame;
mod random;
mod shared;
mod time;
mod window;

pub mod command_line;

pub use fault::{Fault, FaultRates, RestFault, RestRates, RestTrouble, parse_duration};
pub use market::Market;
pub use options::{Exchange, Precision, Rate, SimulatorOptions, SlowClients, Source, Speed, UnknownStreams};
pub use simulator::{Simulator, StartError};
pub use status::{Counters, Status};
pub use trade::{Side, Trade};
pub use truth::{TRUTH_HEADER, TruthTrade};
