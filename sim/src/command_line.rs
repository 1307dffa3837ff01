//! The command line of `tapedeck-sim`: flags, and the options that they make.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::Parser;

use crate::decimal::{POWERS_OF_TEN, parse_decimal};
use crate::fault::{FaultRates, RestRates, parse_duration};
use crate::options::{Exchange, Precision, Rate, SimulatorOptions, SlowClients, Source, Speed, UnknownStreams};

/// Simulates an exchange on loopback: WebSocket, REST and control on one port.
///
/// Prints one line of JSON once it listens: {"exchange":…,"ws":…,"rest":…}. Ends on SIGTERM or Ctrl-C.
#[derive(Debug, Parser)]
#[command(name = "tapedeck-sim", version)]
pub struct Arguments {
    /// Whose protocol to speak: binance or kraken.
    #[arg(long)]
    exchange: Exchange,
    /// Address to listen on; port 0 takes a free one.
    #[arg(long, default_value = "127.0.0.1:0", value_name = "ADDRESS")]
    listen: SocketAddr,
    /// Markets, BASE/QUOTE; BTC/USDT=XBTUSDT gives one a spelling of its own.
    #[arg(long, alias = "market", value_delimiter = ',', value_name = "MARKET,…")]
    markets: Vec<String>,
    /// Trades a second over all markets, or `max`: as fast as the clients read.
    #[arg(long, default_value = "100", value_parser = read_rate, value_name = "N|max")]
    rate: Rate,
    /// Seed of trades and faults.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// File for the truth as CSV, written at the end of the tape and on exit.
    #[arg(long, value_name = "FILE.csv")]
    pub truth: Option<PathBuf>,
    /// Stop publishing after so much time, for example 60s.
    #[arg(long, alias = "stop-after", value_parser = parse_duration, value_name = "TIME")]
    duration: Option<Duration>,
    /// Stop publishing after so many trades.
    #[arg(long, value_name = "N")]
    trades: Option<u64>,
    /// Exit once everything is published and written to the sockets.
    #[arg(long)]
    pub exit_when_finished: bool,
    /// Faults, for example duplicate=0.05,reorder=0.01,malformed=0.001,drop=0.001,late=0.01,cut=30s,silence=60s/5s.
    #[arg(long, default_value = "", hide_default_value = true, value_name = "LIST")]
    faults: FaultRates,
    /// Faults of REST requests, for example 429:0.1,418:0.01,500:0.1,slow:0.05/2s,down:0.02,retry-after:3.
    #[arg(long, default_value = "", hide_default_value = true, value_name = "LIST")]
    rest_faults: RestRates,
    /// Publish nothing until POST /sim/start.
    #[arg(long)]
    paused: bool,
    /// Publish nothing until so many markets are subscribed.
    #[arg(long, default_value_t = 0, value_name = "N")]
    wait_for_subscribers: usize,
    /// Replay recorded sockets (gzip, lines of `<receive time, ns> <raw message>`), one after the other.
    #[arg(long, value_name = "FILE.gz", num_args = 1.., conflicts_with = "trades_csv")]
    recording: Vec<PathBuf>,
    /// Publish the trades of a CSV (timestamp_us,price,quantity,side,trade_id) as those of the one market.
    #[arg(long, value_name = "FILE.csv")]
    trades_csv: Option<PathBuf>,
    /// Speed of a recording or CSV: `max`, or times the recorded one.
    #[arg(long, default_value = "max", value_parser = read_speed, value_name = "N|max")]
    speed: Speed,
    /// Start of the simulated clock: an RFC 3339 time, or `now`.
    #[arg(long, default_value = "now", value_parser = read_clock, value_name = "TIME|now")]
    clock_start: ClockStart,
    /// Unit to which times of generated trades are exact: ms or us [default: ms for binance, us for kraken].
    #[arg(long, value_parser = read_precision, value_name = "ms|us")]
    precision: Option<Precision>,
    /// Cut connections of this age [default: 24h for binance, never for kraken].
    #[arg(long, value_parser = parse_duration, value_name = "TIME")]
    lifetime: Option<Duration>,
    /// How long before such a cut clients are told of it.
    #[arg(long, default_value = "10s", value_parser = parse_duration, value_name = "TIME")]
    shutdown_lead: Duration,
    /// How often to send ping frames [default: 20s for binance, never for kraken].
    #[arg(long, value_parser = parse_duration, value_name = "TIME")]
    ping_interval: Option<Duration>,
    /// How long a pong may take before the connection is cut.
    #[arg(long, default_value = "60s", value_parser = parse_duration, value_name = "TIME")]
    pong_timeout: Duration,
    /// How often Kraken's heartbeat is sent.
    #[arg(long, default_value = "1s", value_parser = parse_duration, value_name = "TIME")]
    heartbeat_interval: Duration,
    /// Cut a connection without subscription that says nothing for so long [default: never for binance, 60s for kraken].
    #[arg(long, value_parser = parse_duration, value_name = "TIME")]
    idle_timeout: Option<Duration>,
    /// Messages that a client may send in a second, 0 for any number [default: 5 for binance, 0 for kraken].
    #[arg(long, value_name = "N")]
    messages_per_second: Option<usize>,
    /// Streams on one connection, 0 for any number [default: 1024 for binance, 0 for kraken].
    #[arg(long, value_name = "N")]
    streams_per_connection: Option<usize>,
    /// Connections in five minutes, 0 for any number [default: 300 for binance, 0 for kraken].
    #[arg(long, value_name = "N")]
    connections_per_five_minutes: Option<usize>,
    /// REST weight in a minute, 0 for any [default: 6000; binance only].
    #[arg(long, value_name = "N")]
    rest_weight_per_minute: Option<u64>,
    /// Answer to a subscription of an unknown stream, binance only: `silent` (as the exchange does) or `refuse`.
    #[arg(long, default_value = "silent", value_parser = read_unknown_streams, value_name = "silent|refuse")]
    unknown_streams: UnknownStreams,
    /// Microseconds by which Kraken's REST gives a later time than its socket.
    #[arg(long, default_value_t = 0, value_name = "N")]
    rest_skew_us: i64,
    /// What happens to slow clients: `cut` or `wait` [default: wait at a rate or speed of max, else cut].
    #[arg(long, value_parser = read_slow_clients, value_name = "cut|wait")]
    slow_clients: Option<SlowClients>,
    /// Megabytes that are buffered for a client before it is cut as too slow.
    #[arg(long, default_value_t = 8, value_name = "MB", value_parser = clap::value_parser!(u16).range(1..=4096))]
    client_buffer_mb: u16,
    /// Shortest time between two flushes.
    #[arg(long, default_value = "1ms", value_parser = parse_duration, value_name = "TIME")]
    tick: Duration,
    /// Remember only so many trades a market, for loads whose truth nobody asks for.
    #[arg(long, value_name = "N")]
    keep: Option<usize>,
}

/// When the simulated clock starts.
#[derive(Clone, Copy, Debug)]
enum ClockStart {
    Now,
    At(i64),
}

impl Arguments {
    /// The options that the flags make.
    ///
    /// # Errors
    /// Names a market that is not one.
    pub fn options(&self) -> Result<SimulatorOptions, String> {
        let defaults = SimulatorOptions::new(self.exchange).with_markets(self.markets.iter().map(String::as_str))?;
        let source = match &self.trades_csv {
            Some(file) => Source::TradesCsv(file.clone()),
            None if self.recording.is_empty() => Source::Generated,
            None => Source::Recordings(self.recording.clone()),
        };
        Ok(SimulatorOptions {
            listen: self.listen,
            source,
            rate: self.rate,
            speed: self.speed,
            seed: self.seed,
            trades: self.trades,
            duration: self.duration,
            clock_start_us: match self.clock_start {
                ClockStart::Now => None,
                ClockStart::At(time_us) => Some(time_us),
            },
            precision: self.precision.unwrap_or(defaults.precision),
            faults: self.faults.clone(),
            rest_faults: self.rest_faults.clone(),
            autostart: !self.paused,
            wait_for_subscribers: self.wait_for_subscribers,
            slow_clients: self.slow_clients,
            client_buffer: usize::from(self.client_buffer_mb) << 20,
            tick: self.tick,
            keep: self.keep,
            lifetime: self.lifetime.or(defaults.lifetime),
            shutdown_lead: self.shutdown_lead,
            ping_interval: self.ping_interval.or(defaults.ping_interval),
            pong_timeout: self.pong_timeout,
            heartbeat_interval: self.heartbeat_interval,
            idle_timeout: self.idle_timeout.or(defaults.idle_timeout),
            messages_per_second: self.messages_per_second.unwrap_or(defaults.messages_per_second),
            streams_per_connection: self.streams_per_connection.unwrap_or(defaults.streams_per_connection),
            connections_per_five_minutes: self
                .connections_per_five_minutes
                .unwrap_or(defaults.connections_per_five_minutes),
            rest_weight_per_minute: self.rest_weight_per_minute.unwrap_or(defaults.rest_weight_per_minute),
            unknown_streams: self.unknown_streams,
            rest_skew_us: self.rest_skew_us,
            ..defaults
        })
    }
}

fn read_rate(text: &str) -> Result<Rate, String> {
    match text.parse() {
        _ if text == "max" => Ok(Rate::Max),
        Ok(rate) if rate > 0 => Ok(Rate::PerSecond(rate)),
        _ => Err("use a number of trades a second above 0, or max".to_owned()),
    }
}

fn read_speed(text: &str) -> Result<Speed, String> {
    if text == "max" {
        return Ok(Speed::Max);
    }
    parse_decimal(text)
        .filter(|(mantissa, scale)| *mantissa > 0 && *scale <= 3)
        .and_then(|(mantissa, scale)| mantissa.checked_mul(POWERS_OF_TEN[usize::from(3 - scale)]))
        .map(Speed::Thousandths)
        .ok_or_else(|| "use a number such as 1, 10 or 0.5, or max".to_owned())
}

fn read_clock(text: &str) -> Result<ClockStart, String> {
    if text == "now" { Ok(ClockStart::Now) } else { crate::time::parse_rfc3339(text).map(ClockStart::At) }
}

fn read_precision(text: &str) -> Result<Precision, String> {
    match text {
        "ms" => Ok(Precision::Milliseconds),
        "us" => Ok(Precision::Microseconds),
        _ => Err("use ms or us".to_owned()),
    }
}

fn read_unknown_streams(text: &str) -> Result<UnknownStreams, String> {
    match text {
        "silent" => Ok(UnknownStreams::Silent),
        "refuse" => Ok(UnknownStreams::Refuse),
        _ => Err("use silent or refuse".to_owned()),
    }
}

fn read_slow_clients(text: &str) -> Result<SlowClients, String> {
    match text {
        "cut" => Ok(SlowClients::Cut),
        "wait" => Ok(SlowClients::Wait),
        _ => Err("use cut or wait".to_owned()),
    }
}
