//! What a simulator is asked to be: one struct with the exchange's documented rules as its defaults.

use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use crate::fault::{FaultRates, RestRates};
use crate::market::Market;

/// An exchange whose protocol is spoken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exchange {
    /// Binance spot: market streams and the public part of `/api/v3`.
    Binance,
    /// Kraken spot: WebSocket v2 and the public part of REST.
    Kraken,
}

impl Exchange {
    /// The id in topics and tables.
    pub fn name(self) -> &'static str {
        match self {
            Self::Binance => "binance",
            Self::Kraken => "kraken",
        }
    }
}

impl fmt::Display for Exchange {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

impl FromStr for Exchange {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        [Self::Binance, Self::Kraken]
            .into_iter()
            .find(|exchange| exchange.name() == text)
            .ok_or_else(|| format!("`{text}` is not an exchange that can be simulated: use binance or kraken"))
    }
}

/// Where the trades come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// Made up from the seed.
    Generated,
    /// Recorded sockets, one after the other: gzip files of lines `<receive time, ns> <raw message>`.
    Recordings(Vec<PathBuf>),
    /// A CSV of trades with the columns `timestamp_us,price,quantity,side,trade_id`, of the first market.
    TradesCsv(PathBuf),
}

/// How fast generated trades are published.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rate {
    /// So many trades a second on average, over all markets.
    PerSecond(u64),
    /// As fast as the clients read. The simulated clock runs as at 1,000,000 trades a second.
    Max,
}

/// How fast recorded trades are published.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Speed {
    /// So many thousandths of the speed at which they were recorded.
    Thousandths(u64),
    /// As fast as the clients read.
    Max,
}

/// What happens to a client that reads more slowly than trades are published.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SlowClients {
    /// It is cut once its buffer is full, as an exchange does.
    Cut,
    /// Publishing waits for it, and also while fewer markets are subscribed than were waited for: nothing is dropped.
    Wait,
}

/// What Binance answers to a subscription of a stream that does not exist.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UnknownStreams {
    /// A success, and never any data: what the real exchange does.
    Silent,
    /// An error.
    Refuse,
}

/// The unit to which the times of generated trades are exact.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Precision {
    /// Whole milliseconds, so that a client reads the same time in either of Binance's units.
    Milliseconds,
    /// Whole microseconds.
    Microseconds,
}

/// Everything that a simulator can be told at its start.
#[derive(Clone, Debug)]
pub struct SimulatorOptions {
    /// Whose protocol is spoken.
    pub exchange: Exchange,
    /// Where to listen; port 0 takes a free one.
    pub listen: SocketAddr,
    /// The markets. A recording adds those of its own symbols.
    pub markets: Vec<Market>,
    /// Where the trades come from.
    pub source: Source,
    /// How fast generated trades are published.
    pub rate: Rate,
    /// How fast recorded trades are published.
    pub speed: Speed,
    /// The seed of trades and faults.
    pub seed: u64,
    /// Publishing ends after so many trades.
    pub trades: Option<u64>,
    /// Publishing ends after so much time, of the simulated clock where there is a rate, else of the real one.
    pub duration: Option<Duration>,
    /// Time of the simulated clock at the start, in microseconds since 1970; none takes the real time.
    pub clock_start_us: Option<i64>,
    /// The unit to which generated times are exact.
    pub precision: Precision,
    /// Faults that happen by themselves.
    pub faults: FaultRates,
    /// Faults that befall REST requests by themselves.
    pub rest_faults: RestRates,
    /// Whether publishing starts without being told to.
    pub autostart: bool,
    /// Publishing starts once so many markets are subscribed.
    pub wait_for_subscribers: usize,
    /// What happens to slow clients; none: wait at a rate or speed of `max`, else cut.
    pub slow_clients: Option<SlowClients>,
    /// Bytes that are buffered for a client before it counts as slow.
    pub client_buffer: usize,
    /// The shortest time between two flushes.
    pub tick: Duration,
    /// Trades remembered for each market, for the truth and for backfill; none remembers all.
    pub keep: Option<usize>,
    /// A connection is cut when it is so old.
    pub lifetime: Option<Duration>,
    /// How long before that cut, and before one that was ordered, clients are told of it.
    pub shutdown_lead: Duration,
    /// How often the server sends a ping frame.
    pub ping_interval: Option<Duration>,
    /// How long a pong may take.
    pub pong_timeout: Duration,
    /// How often Kraken sends a heartbeat to a connection with a subscription.
    pub heartbeat_interval: Duration,
    /// Kraken cuts a connection that has no subscription and says nothing for so long.
    pub idle_timeout: Option<Duration>,
    /// Messages that a client may send in a second; 0 does not limit them.
    pub messages_per_second: usize,
    /// Streams on one connection; 0 does not limit them.
    pub streams_per_connection: usize,
    /// Connections in five minutes; 0 does not limit them.
    pub connections_per_five_minutes: usize,
    /// REST weight in a minute (Binance); 0 does not limit it.
    pub rest_weight_per_minute: u64,
    /// What Binance answers to a subscription of an unknown stream.
    pub unknown_streams: UnknownStreams,
    /// Microseconds by which Kraken's REST gives a later time than its socket.
    pub rest_skew_us: i64,
}

impl SimulatorOptions {
    /// The documented rules of an exchange, on a free port of 127.0.0.1, with no markets yet.
    pub fn new(exchange: Exchange) -> Self {
        let binance = exchange == Exchange::Binance;
        Self {
            exchange,
            listen: SocketAddr::from(([127, 0, 0, 1], 0)),
            markets: Vec::new(),
            source: Source::Generated,
            rate: Rate::PerSecond(100),
            speed: Speed::Max,
            seed: 1,
            trades: None,
            duration: None,
            clock_start_us: None,
            precision: if binance { Precision::Milliseconds } else { Precision::Microseconds },
            faults: FaultRates::default(),
            rest_faults: RestRates::default(),
            autostart: true,
            wait_for_subscribers: 0,
            slow_clients: None,
            client_buffer: 8 << 20,
            tick: Duration::from_millis(1),
            keep: None,
            lifetime: binance.then_some(Duration::from_secs(24 * 3_600)),
            shutdown_lead: Duration::from_secs(10),
            ping_interval: binance.then_some(Duration::from_secs(20)),
            pong_timeout: Duration::from_secs(60),
            heartbeat_interval: Duration::from_secs(1),
            idle_timeout: (!binance).then_some(Duration::from_secs(60)),
            messages_per_second: if binance { 5 } else { 0 },
            streams_per_connection: if binance { 1_024 } else { 0 },
            connections_per_five_minutes: if binance { 300 } else { 0 },
            rest_weight_per_minute: if binance { 6_000 } else { 0 },
            unknown_streams: UnknownStreams::Silent,
            rest_skew_us: 0,
        }
    }

    /// The same with these markets, spelt as in [`Market::parse`].
    ///
    /// # Errors
    /// Names the market that is not one, or that is given twice.
    pub fn with_markets<'text>(mut self, names: impl IntoIterator<Item = &'text str>) -> Result<Self, String> {
        for name in names {
            let market = Market::parse(self.exchange, name)?;
            if self.markets.iter().any(|other| other.symbol == market.symbol || other.canonical == market.canonical) {
                return Err(format!("market {name} is given twice"));
            }
            self.markets.push(market);
        }
        Ok(self)
    }

    /// Whether the tape waits for its clients.
    pub(crate) fn waits_for_clients(&self) -> bool {
        let unpaced = match self.source {
            Source::Generated => self.rate == Rate::Max,
            Source::Recordings(_) | Source::TradesCsv(_) => self.speed == Speed::Max,
        };
        let default = if unpaced { SlowClients::Wait } else { SlowClients::Cut };
        self.slow_clients.unwrap_or(default) == SlowClients::Wait
    }

    /// How many markets must be subscribed for publishing to start, and to go on where the tape waits for its clients.
    pub(crate) fn markets_waited_for(&self) -> usize {
        if self.waits_for_clients() { self.wait_for_subscribers.max(1) } else { self.wait_for_subscribers }
    }
}
