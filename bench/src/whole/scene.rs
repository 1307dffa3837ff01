//! One rate, from the start of every process to the last candle.

use std::time::Duration;

use anyhow::{Context, Result};
use tapedeck_tests::pipeline::Pipeline;
use tapedeck_tests::publisher::Publisher;
use tapedeck_tests::wait;
use xtask::stack::{Stack, StackOptions};

use super::MARKETS;
use super::looks::{self, Look};
use super::outcome::{CPU, Counts, MEMORY, Outcome};
use crate::markets::{borrowed, names};
use crate::meter::{Meter, Used, pass};
use crate::rounds::Series;
use crate::sample::Sample;
use crate::suite::Setting;
use crate::unit::Unit;

/// Who publishes, half of the trades each: the exchange, its plugin, and the quote of its markets.
const EXCHANGES: [(&str, &str); 2] = [("binance", "USDT"), ("kraken", "USD")];

/// Until Kafka's compiler, ClickHouse's merges and all caches are as they will stay.
const WARM_UP: Duration = Duration::from_secs(30);
/// A window in which processors and memory are measured, and nobody asks for candles.
const WINDOW: Duration = Duration::from_secs(20);
/// One in which candles are looked at.
const WATCH: Duration = Duration::from_secs(8);

/// How long the last trades may take into candles, and their hours to be counted.
const PATIENCE: Duration = Duration::from_secs(120);

/// Everything that runs. Dropped in this order: who reads goes before who is read.
struct Scene {
    host: tapedeck_tests::host::Host,
    pipeline: Pipeline,
    exchanges: Vec<Publisher>,
    stack: Stack,
}

/// Runs a rate.
pub(super) fn run(setting: &Setting, rate: u32) -> Result<Outcome> {
    println!("\n{} trades a second over {MARKETS} markets", Unit::Count.show(f64::from(rate)));
    let mut scene = Scene::start(setting, rate)?;
    scene.exchanges.iter().try_for_each(|exchange| exchange.tell("start"))?;
    pass(WARM_UP)?;
    let mut used: Vec<Vec<Used>> = Vec::new();
    let mut watched: Vec<Vec<Look>> = Vec::new();
    for window in 1..=setting.runs {
        let row = scene.measure()?;
        let (cores, memory) = row[..3].iter().fold((0.0, 0.0), |sum, used| (sum.0 + used.cores, sum.1 + used.memory));
        let (cores, memory) = (Unit::Cores.show(cores), Unit::Bytes.show(memory));
        println!("  window {window}/{}  host, Kafka and ClickHouse: {cores}, {memory}", setting.runs);
        used.push(row);
        watched.push(looks::watch(&scene.pipeline, WATCH)?);
    }
    let counts = scene.finish()?;
    let times = looks::times(&scene.pipeline)?;
    let mut series: Vec<Series> = Outcome::PROCESSES.iter().zip(transposed(&used)).map(process).collect();
    series.push(Series {
        contender: Outcome::CANDLES.to_owned(),
        samples: watched.iter().map(|looks| looks::sample(looks, &times)).collect::<Result<_>>()?,
    });
    scene.host.stop_well()?;
    Ok(Outcome { rate, series, counts })
}

impl Scene {
    fn start(setting: &Setting, rate: u32) -> Result<Self> {
        let stack = Stack::start(&StackOptions { optimised: true, ..StackOptions::default() })?;
        let mut pipeline = Pipeline::new(&format!("whole_{rate}"), &stack)?.with_plugins(&setting.plugins);
        let mut exchanges = Vec::new();
        let (markets, rate) = (MARKETS / EXCHANGES.len(), (rate as usize / EXCHANGES.len()).to_string());
        for (exchange, quote) in EXCHANGES {
            let markets = names(markets, quote);
            let publisher = Publisher::start(exchange, &borrowed(&markets), &rate, &[])?;
            pipeline = pipeline.with_feed(exchange, &borrowed(&markets), &publisher.websocket, &publisher.rest);
            exchanges.push(publisher);
        }
        pipeline.command(&["topics", "apply"])?.success()?;
        pipeline.apply_sql()?;
        let mut host = pipeline.start_host()?;
        host.wait_ready()?;
        Ok(Self { host, pipeline, exchanges, stack })
    }

    /// What each process used in a window, in the order of [`Outcome::PROCESSES`].
    fn measure(&self) -> Result<Vec<Used>> {
        let servers = [self.host.pid(), self.stack.kafka().pid(), self.stack.clickhouse().pid()];
        let pids = servers.into_iter().chain(self.exchanges.iter().map(Publisher::pid));
        let meters = pids.map(Meter::start).collect::<Result<Vec<_>>>()?;
        pass(WINDOW)?;
        let names = Outcome::PROCESSES.iter().chain(std::iter::repeat(&"an exchange"));
        let read = |(meter, name): (&Meter, &&str)| {
            meter.read().with_context(|| format!("{name} cannot be measured; the host's log:\n{}", self.host.log()))
        };
        let mut used = meters.iter().zip(names).map(read).collect::<Result<Vec<_>>>()?;
        // The exchanges count as one.
        let exchanges = used.split_off(servers.len()).into_iter().reduce(|sum, more| Used {
            cpu: sum.cpu + more.cpu,
            cores: sum.cores + more.cores,
            memory: sum.memory + more.memory,
        });
        used.extend(exchanges);
        Ok(used)
    }

    /// Ends publishing, and waits until everything is in candles and counted.
    fn finish(&self) -> Result<Counts> {
        self.exchanges.iter().try_for_each(|exchange| exchange.tell("stop"))?;
        let published = self.exchanges.iter().map(Publisher::trades).sum::<Result<u64>>()?;
        let mut counts = Counts::default();
        let waited = wait::until_true("every trade is in a candle, and counted", PATIENCE, || {
            counts = self.counts(published)?;
            Ok(counts.are_complete())
        });
        // Those that are missing are a result, not a failure.
        if let Err(error) = waited {
            println!("  {error:#}");
        }
        Ok(counts)
    }

    fn counts(&self, published: u64) -> Result<Counts> {
        let Pipeline { client, database, .. } = &self.pipeline;
        let count = |sql: &str| client.count(&sql.replace("{db}", database));
        Ok(Counts {
            published,
            silver: count("SELECT count() FROM {db}.silver_trades FINAL")?,
            candles: count("SELECT sum(trades) FROM {db}.ohlcv_1m")?,
            hours: count("SELECT count() FROM {db}.completeness")?,
            complete_hours: count("SELECT countIf(state = 'complete') FROM {db}.completeness")?,
            counted: count("SELECT sum(trades) FROM {db}.completeness")?,
            quarantined: count("SELECT count() FROM {db}.quarantine FINAL")?,
        })
    }
}

/// Rows of windows as rows of processes.
fn transposed(windows: &[Vec<Used>]) -> impl Iterator<Item = Vec<Used>> + '_ {
    (0..Outcome::PROCESSES.len()).map(|process| windows.iter().filter_map(|row| row.get(process).copied()).collect())
}

fn process((name, used): (&&str, Vec<Used>)) -> Series {
    let sample = |used: &Used| Sample::new().with(CPU, used.cores, Unit::Cores).with(MEMORY, used.memory, Unit::Bytes);
    Series { contender: (*name).to_owned(), samples: used.iter().map(sample).collect() }
}
