//! One run: a client reads what the blaster sends, until Kafka has all of it; then what Kafka has is read and checked.

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use xtask::stack::process::Process;

use super::check::{self, Watcher};
use super::client::{Client, Way};
use super::cpu::{Cpu, peak_memory};
use super::source::Source;
use super::stage::Stage;
use super::topic::Topic;
use crate::load::form::Form;
use crate::load::source::read_times;
use crate::load::{Amount, Event};
use crate::moment::Moment;

/// How long a client may take until it has subscribed.
const CONNECT: Duration = Duration::from_secs(60);
/// From its subscription to the first trade: whatever it still does at its start is over then.
const SETTLE: Duration = Duration::from_millis(700);
/// How long a load may take beyond its time, where a client holds it back.
const PATIENCE: Duration = Duration::from_secs(60);
/// When no more records came for so long, no more will.
const SILENCE: Duration = Duration::from_secs(4);
/// Pause between two looks at how many records there are.
const LOOK: Duration = Duration::from_millis(5);

/// What a run found.
#[derive(Debug, Clone, PartialEq)]
pub struct Outcome {
    /// Trades sent.
    pub trades: u64,
    /// From the first frame to the last record that Kafka acknowledged.
    pub elapsed: Duration,
    /// The client's processor time in that.
    pub cpu: Cpu,
    /// The most memory that the client had, bytes.
    pub memory: u64,
    /// Kafka's processor time.
    pub broker_cpu: Duration,
    /// The blaster's processor time; none where the client is its own source.
    pub blaster_cpu: Option<Duration>,
    /// Trades that are not in Kafka.
    pub lost: u64,
    /// Records that repeat a trade.
    pub twice: u64,
    /// Records with a lower id than the one before them.
    pub out_of_order: u64,
    /// From the sending of each trade's frame until a consumer had its record, in the order of sending; without a rate, none.
    pub latencies: Vec<Duration>,
    /// How far behind its rate the load was at the end.
    pub behind: Duration,
}

/// Runs a client once.
///
/// # Errors
/// Something does not start, or ends too early.
pub fn run(stage: &Stage, client: &dyn Client, amount: &Amount) -> Result<Outcome> {
    let most = if amount.rate.is_none() { client.most() } else { None };
    let amount = &Amount { most: most.or(amount.most), ..*amount };
    let (prefix, folder) = stage.next_run()?;
    let brokers = stage.broker().address();
    let exchange = if client.form() == Some(Form::Kraken) { "kraken" } else { "binance" };
    let name = format!("{prefix}.{exchange}");
    let topic = Topic::create(&brokers, &name)?;
    let watcher = amount.rate.map(|_| Watcher::start(&topic)).transpose()?;
    let way = Way { brokers: &brokers, prefix: &prefix, topic: &name, port: 0, folder: &folder };
    let mut stand = Stand::start(stage, client, amount, way)?;
    std::thread::sleep(SETTLE);

    let pids = [stand.client_pid(), stage.broker().pid(), stand.source.pid()];
    let before = pids.map(Cpu::of);
    stand.source.go()?;
    let (trades, began, behind) = stand.sent(amount)?;
    let last =
        stand.wait_for_records(trades, || watcher.as_ref().map_or_else(|| topic.records(), |it| Ok(it.records())))?;
    let after = pids.map(Cpu::of);
    let memory = peak_memory(pids[0]).context("the client is gone")?;
    let mut used = Vec::new();
    for (before, after) in before.into_iter().zip(after) {
        used.push(after?.since(&before?));
    }
    let own_source = client.form().is_none();
    let times = if amount.rate.is_some() { read_times(&times(&folder))? } else { Vec::new() };
    drop(stand);

    let seen = match watcher {
        Some(watcher) => watcher.finish()?,
        None => check::read(&topic)?,
    };
    if seen.foreign > 0 {
        bail!("{} records in Kafka are no trades of the load", seen.foreign);
    }
    let [cpu, broker, source] = used.try_into().map_err(|_| anyhow::anyhow!("three were asked for"))?;
    Ok(Outcome {
        trades,
        elapsed: last.since(began),
        cpu,
        memory,
        broker_cpu: broker.all,
        blaster_cpu: (!own_source).then_some(source.all),
        lost: seen.lost(trades),
        twice: seen.twice,
        out_of_order: seen.out_of_order,
        latencies: seen.latencies(&times),
        behind,
    })
}

/// The processes of a run. All end when it is dropped.
struct Stand {
    source: Source,
    /// None where the client is its own source.
    client: Option<Process>,
}

impl Stand {
    /// Starts both, and waits until the client has subscribed.
    fn start(stage: &Stage, client: &dyn Client, amount: &Amount, mut way: Way<'_>) -> Result<Self> {
        let log = way.folder.join("source.log");
        let Some(form) = client.form() else {
            let command = with_amount(client.command(&way)?, amount, way.folder);
            let stand = Self { source: Source::start(command, &log)?, client: None };
            stand.wait_until_ready()?;
            return Ok(stand);
        };
        let mut command = Command::new(stage.programs.programs.join("blaster"));
        command.args(["--form", form.name()]);
        let source = Source::start(with_amount(command, amount, way.folder), &log)?;
        let Event::Listening { port } = source.event(CONNECT, || Ok(()))? else {
            bail!("the blaster does not say where it listens");
        };
        way.port = port;
        let log = way.folder.join("client.log");
        let process = Process::spawn(client.command(&way)?, "the client", "build it first", &log, false)?;
        let stand = Self { source, client: Some(process) };
        stand.wait_until_ready()?;
        Ok(stand)
    }

    fn wait_until_ready(&self) -> Result<()> {
        match self.source.event(CONNECT, || self.check()).context("the client does not subscribe")? {
            Event::Ready => Ok(()),
            other => bail!("the source of trades says {other:?} instead of being ready"),
        }
    }

    fn client_pid(&self) -> u32 {
        self.client.as_ref().map_or_else(|| self.source.pid(), Process::pid)
    }

    /// How many trades were sent, when the first one was, and how far behind its rate the last one was.
    fn sent(&self, amount: &Amount) -> Result<(u64, Moment, Duration)> {
        let patience = Duration::from_secs_f64(amount.seconds) + PATIENCE;
        match self.source.event(patience, || self.check()).context("the client does not take the load")? {
            Event::Sent { trades, began, behind, .. } => Ok((trades, began, Duration::from_nanos(behind))),
            other => bail!("the source of trades says {other:?} instead of what it sent"),
        }
    }

    /// Waits until there are so many records or no more come; returns when the last one was seen.
    fn wait_for_records(&self, wanted: u64, records: impl Fn() -> Result<u64>) -> Result<Moment> {
        let (mut seen, mut last, mut progress) = (0, Moment::now(), Instant::now());
        loop {
            let now = records()?;
            if now != seen {
                (seen, last, progress) = (now, Moment::now(), Instant::now());
            }
            if seen >= wanted || progress.elapsed() > SILENCE {
                return Ok(last);
            }
            self.check()?;
            std::thread::sleep(LOOK);
        }
    }

    fn check(&self) -> Result<()> {
        self.client.as_ref().map_or(Ok(()), Process::check)
    }
}

fn with_amount(mut command: Command, amount: &Amount, folder: &Path) -> Command {
    command.args(["--seconds", &amount.seconds.to_string()]);
    if let Some(rate) = amount.rate {
        command.args(["--rate", &rate.to_string()]).arg("--times").arg(times(folder));
    }
    if let Some(most) = amount.most {
        command.args(["--most", &most.to_string()]);
    }
    command
}

fn times(folder: &Path) -> std::path::PathBuf {
    folder.join("times")
}
