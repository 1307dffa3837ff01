//! The whole pipeline on servers of its own, and the hands that break it and put it together again.

use std::fmt::Write as _;
use std::thread::ScopedJoinHandle;
use std::time::{Duration, Instant};

use anyhow::{Result, anyhow, bail};
use tapedeck_sim::{Exchange as Protocol, Fault, FaultRates, Rate, RestFault, RestRates, SimulatorOptions};
use xtask::stack::Stack;
use xtask::truth::Trades;

use super::plan::{Action, Target, Trouble, Venue};
use crate::exchange::Exchange;
use crate::host::Host;
use crate::pipeline::Pipeline;

/// Markets of the two exchanges.
pub(super) const BINANCE: [&str; 3] = ["BTC/USDT", "ETH/USDT", "SOL/USDT"];
pub(super) const KRAKEN: [&str; 2] = ["BTC/USD", "ETH/USD"];

/// How long a killed server may take to be up again.
const BACK: Duration = Duration::from_secs(120);

/// The pause between two looks.
const LOOK: Duration = Duration::from_millis(20);

/// Whether a server serves.
enum State<'scope> {
    Up,
    /// Killed; it is started again at this time.
    Down(Instant),
    Starting(ScopedJoinHandle<'scope, Result<()>>),
}

/// A simulated exchange under chaos.
///
/// # Errors
/// It does not start.
pub(super) fn exchange(venue: Venue, seed: u64, a_second: u64, faults: bool) -> Result<Exchange> {
    let (protocol, markets) = match venue {
        Venue::Binance => (Protocol::Binance, &BINANCE[..]),
        Venue::Kraken => (Protocol::Kraken, &KRAKEN[..]),
    };
    let options = SimulatorOptions::new(protocol).with_markets(markets.iter().copied());
    let mut options = options.map_err(anyhow::Error::msg)?;
    (options.seed, options.rate) = (seed, Rate::PerSecond(a_second.max(1)));
    options.wait_for_subscribers = markets.len();
    options.shutdown_lead = Duration::from_secs(3);
    if faults {
        options.faults = frame_faults();
        options.rest_faults = rest_faults().map_err(anyhow::Error::msg)?;
    }
    Exchange::start(options)
}

/// One frame in fifty comes twice, one in fifty late, one in 500 is damaged beside its good self, one in 2,000 never comes.
pub(super) fn frame_faults() -> FaultRates {
    FaultRates { duplicate: 20_000, reorder: 20_000, malformed: 2_000, drop: 500, ..FaultRates::default() }
}

fn rest_faults() -> Result<RestRates, String> {
    "429:0.05,418:0.01,500:0.1,slow:0.05/1s,down:0.05,retry-after:2".parse()
}

/// Everything that runs.
pub(super) struct Stage<'scope, 'env> {
    scope: &'scope std::thread::Scope<'scope, 'env>,
    stack: &'env Stack,
    pipeline: &'env Pipeline,
    binance: &'env Exchange,
    kraken: &'env Exchange,
    host: Option<Host>,
    host_back: Option<Instant>,
    kafka: State<'scope>,
    clickhouse: State<'scope>,
    begun: Instant,
    /// What earlier hosts have logged.
    logs: String,
    /// The most memory that a host had, in bytes.
    pub(super) most_memory: u64,
}

impl<'scope, 'env> Stage<'scope, 'env> {
    /// Starts the host.
    pub(super) fn new(
        scope: &'scope std::thread::Scope<'scope, 'env>,
        stack: &'env Stack,
        pipeline: &'env Pipeline,
        binance: &'env Exchange,
        kraken: &'env Exchange,
    ) -> Result<Self> {
        let mut host = pipeline.start_host()?;
        host.wait_ready()?;
        let begun = Instant::now();
        let (kafka, clickhouse) = (State::Up, State::Up);
        let (host, host_back, logs, most_memory) = (Some(host), None, String::new(), 0);
        Ok(Self {
            scope,
            stack,
            pipeline,
            binance,
            kraken,
            host,
            host_back,
            kafka,
            clickhouse,
            begun,
            logs,
            most_memory,
        })
    }

    /// Says a line, with the time since the beginning.
    pub(super) fn say(&self, words: &str) {
        println!("{:>7.1} s  {words}", self.begun.elapsed().as_secs_f32());
    }

    /// Lets time pass until this long after the beginning.
    pub(super) fn wait_until(&mut self, at: Duration) -> Result<()> {
        while self.begun.elapsed() < at {
            self.look_after()?;
            std::thread::sleep(LOOK);
        }
        Ok(())
    }

    /// Lets so much time pass.
    pub(super) fn pass(&mut self, time: Duration) -> Result<()> {
        self.wait_until(self.begun.elapsed() + time)
    }

    /// Does what the plan says. A server that is still down is waited for before it is killed again.
    pub(super) fn carry_out(&mut self, action: Action) -> Result<()> {
        if let Action::Kill(target, _) = action {
            let deadline = Instant::now() + BACK;
            while !self.is_up(target) {
                if Instant::now() > deadline {
                    bail!("{} is not up again after {} s", target.name(), BACK.as_secs());
                }
                self.look_after()?;
                std::thread::sleep(LOOK);
            }
        }
        self.say(&action.to_string());
        match action {
            Action::Kill(Target::Host, pause) => {
                self.end_host()?;
                self.host_back = Some(Instant::now() + pause);
            }
            Action::Kill(Target::Kafka, pause) => {
                self.stack.kafka().kill9()?;
                self.kafka = State::Down(Instant::now() + pause);
            }
            Action::Kill(Target::ClickHouse, pause) => {
                self.stack.clickhouse().kill9()?;
                self.clickhouse = State::Down(Instant::now() + pause);
            }
            Action::Kill(Target::Connections, _) => {
                self.binance.inject(Fault::Cut)?;
                self.kraken.inject(Fault::Cut)?;
            }
            Action::Trouble(venue, trouble) => self.exchange(venue).inject(fault(venue, trouble))?,
        }
        Ok(())
    }

    /// Ends all trouble, and waits until everything is up.
    pub(super) fn calm_down(&mut self) -> Result<()> {
        for exchange in [self.binance, self.kraken] {
            exchange.inject(Fault::Clear)?;
        }
        let deadline = Instant::now() + BACK;
        loop {
            self.look_after()?;
            let all = [Target::Host, Target::Kafka, Target::ClickHouse];
            if all.iter().all(|target| self.is_up(*target)) {
                break;
            }
            if Instant::now() > deadline {
                bail!("not everything is up again after {} s", BACK.as_secs());
            }
            std::thread::sleep(LOOK);
        }
        self.host()?.wait_ready()
    }

    /// The host that runs.
    pub(super) fn host(&mut self) -> Result<&mut Host> {
        self.host.as_mut().ok_or_else(|| anyhow!("no host runs"))
    }

    /// An exchange.
    pub(super) fn exchange(&self, venue: Venue) -> &'env Exchange {
        match venue {
            Venue::Binance => self.binance,
            Venue::Kraken => self.kraken,
        }
    }

    /// Every trade that was published.
    pub(super) fn truth(&self) -> Result<Trades> {
        let mut truth = self.binance.truth()?;
        for (key, trade) in self.kraken.truth()?.iter() {
            truth.add(key.clone(), *trade)?;
        }
        Ok(truth)
    }

    /// The log of all hosts.
    pub(super) fn log(&self) -> String {
        format!("{}{}", self.logs, self.host.as_ref().map(Host::log).unwrap_or_default())
    }

    fn is_up(&self, target: Target) -> bool {
        match target {
            Target::Host => self.host.is_some(),
            Target::Kafka => matches!(self.kafka, State::Up),
            Target::ClickHouse => matches!(self.clickhouse, State::Up),
            Target::Connections => true,
        }
    }

    /// Starts what is due to be started again. Fails where the host has ended by itself.
    fn look_after(&mut self) -> Result<()> {
        let stack = self.stack;
        advance(&mut self.kafka, self.scope, || stack.kafka().restart())?;
        advance(&mut self.clickhouse, self.scope, || stack.clickhouse().restart())?;
        if let Some(host) = &mut self.host {
            if let Some(status) = host.ended()? {
                bail!("the host ended by itself with {status}:\n{}", host.log());
            }
            if let Some(usage) = xtask::stack::usage::usage(host.pid()) {
                self.most_memory = self.most_memory.max(usage.memory);
            }
        } else if self.host_back.is_some_and(|at| at <= Instant::now()) {
            self.host = Some(self.pipeline.start_host()?);
        }
        Ok(())
    }

    fn end_host(&mut self) -> Result<()> {
        if let Some(mut host) = self.host.take() {
            host.kill9()?;
            let _ = writeln!(self.logs, "{}--- killed ---", host.log());
        }
        Ok(())
    }

    /// Tells the host to stop, and waits for a good end.
    pub(super) fn stop_host(&mut self) -> Result<()> {
        self.host()?.stop_well()
    }

    /// The servers.
    pub(super) fn stack(&self) -> &'env Stack {
        self.stack
    }

    /// The configuration and what belongs to it.
    pub(super) fn pipeline(&self) -> &'env Pipeline {
        self.pipeline
    }
}

fn advance<'scope, 'env>(
    state: &mut State<'scope>,
    scope: &'scope std::thread::Scope<'scope, 'env>,
    restart: impl FnOnce() -> Result<()> + Send + 'scope,
) -> Result<()> {
    match state {
        State::Down(at) if *at <= Instant::now() => *state = State::Starting(scope.spawn(restart)),
        State::Starting(starting) if starting.is_finished() => {
            let State::Starting(starting) = std::mem::replace(state, State::Up) else { return Ok(()) };
            starting.join().map_err(|_| anyhow!("the thread that starts a server panicked"))??;
        }
        _ => {}
    }
    Ok(())
}

fn fault(venue: Venue, trouble: Trouble) -> Fault {
    match trouble {
        Trouble::Cut => Fault::Cut,
        Trouble::HalfOpen => Fault::HalfOpen,
        Trouble::Silence(time) => Fault::Silence(Some(time)),
        Trouble::Mute(time) => {
            let market = match venue {
                Venue::Binance => BINANCE[0],
                Venue::Kraken => KRAKEN[0],
            };
            Fault::Mute(market.to_owned(), Some(time))
        }
        Trouble::Away(time) => Fault::Away(time),
        Trouble::RestDown(time) => Fault::Rest(RestFault { down: true, lasting: Some(time), ..RestFault::default() }),
        Trouble::ClockStep(milliseconds) => Fault::ClockStep(milliseconds),
        Trouble::Shutdown => Fault::Shutdown,
    }
}
