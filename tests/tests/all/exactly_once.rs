//! `delivery = "exactly-once"`: who reads committed records only sees every trade once, and positions that agree with them,
//! whatever is killed.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use tapedeck::config::{Config, KafkaConfig};
use tapedeck::metrics::{Metrics, SinkMetrics};
use tapedeck::sink::{CheckpointRecord, CheckpointSource, Outgoing, Sink, positions, topics};
use tapedeck_sim::{Exchange as Protocol, Rate, SimulatorOptions};
use tapedeck_tests::audit::received;
use tapedeck_tests::exchange::{Exchange, runtime};
use tapedeck_tests::kafka::{Record, Topic};
use tapedeck_tests::pipeline::Pipeline;
use tapedeck_tests::{servers, wait};
use tokio::task::JoinHandle;
use tokio::time::Instant;

const PATIENCE: Duration = Duration::from_secs(60);

fn config(brokers: &str, prefix: &str, more: &str) -> Result<KafkaConfig> {
    let text = format!(
        "version = 1\n[kafka]\nbrokers = {brokers:?}\ntopic_prefix = {prefix:?}\ndelivery = \"exactly-once\"\n{more}\n\
         [[feed]]\nplugin = \"acme\"\nmarkets = [\"BTC/USD\"]\n"
    );
    Ok(Config::parse(&text, Path::new("test.toml"))?.kafka)
}

/// How many records were accepted: the position of the one market.
#[derive(Default)]
struct Accepted {
    count: AtomicU64,
    changed: AtomicBool,
}

impl CheckpointSource for Accepted {
    fn changed(&self) -> Vec<CheckpointRecord> {
        if !self.changed.swap(false, Ordering::SeqCst) {
            return Vec::new();
        }
        let payload = self.count.load(Ordering::SeqCst).to_string().into_bytes();
        vec![CheckpointRecord { key: b"acme:BTC/USD".to_vec(), payload }]
    }
}

/// A sink that works, and numbers its records.
struct Writer {
    config: KafkaConfig,
    sink: Sink,
    accepted: Arc<Accepted>,
    working: JoinHandle<Result<std::convert::Infallible>>,
}

impl Writer {
    /// Goes on where the positions say.
    async fn start(config: &KafkaConfig) -> Result<Self> {
        topics::ensure(config, topics::topics(config, ["acme"])).await?;
        let sink = Sink::new(config, None, &SinkMetrics::default())?;
        let working = tokio::spawn(sink.clone().run());
        sink.open().await?;
        let accepted = Arc::new(Accepted::default());
        accepted.count.store(position(config).await?, Ordering::SeqCst);
        sink.checkpoints(accepted.clone());
        Ok(Self { config: config.clone(), sink, accepted, working })
    }

    async fn send(&self, records: u64) -> Result<()> {
        let account = self.sink.account(&Metrics::new().session("acme", 0));
        let topic = self.config.topic("acme");
        for _ in 0..records {
            let next = self.accepted.count.load(Ordering::SeqCst).to_string();
            let record =
                Outgoing { topic: &topic, key: b"acme:BTC/USD", payload: next.as_bytes(), headers: None, account };
            let on_accepted = || {
                self.accepted.count.fetch_add(1, Ordering::SeqCst);
                self.accepted.changed.store(true, Ordering::SeqCst);
            };
            self.sink.send(&record, on_accepted).await?;
        }
        Ok(())
    }

    async fn drain(&self) -> Result<()> {
        let left = self.sink.drain(Instant::now() + PATIENCE).await;
        ensure!(left == 0, "{left} records are not in Kafka after {PATIENCE:?}");
        Ok(())
    }
}

async fn position(config: &KafkaConfig) -> Result<u64> {
    let positions = positions::read(config).await?;
    ensure!(positions.keys().all(|key| key == b"acme:BTC/USD"), "not a market: {positions:?}");
    let position = positions.values().next().map_or("0".into(), |payload| String::from_utf8_lossy(payload));
    Ok(position.parse()?)
}

/// The records are these numbers from 0, each once, in order.
fn check(records: &[Record], expected: u64) -> Result<()> {
    let numbers = records.iter().map(|record| Ok(String::from_utf8_lossy(&record.payload).parse::<u64>()?));
    let numbers: Vec<u64> = numbers.collect::<Result<_>>()?;
    for (index, number) in numbers.iter().enumerate() {
        ensure!(*number == index as u64, "record {index} is number {number}; {} records", numbers.len());
    }
    ensure!(numbers.len() as u64 == expected, "{} records, not {expected}", numbers.len());
    Ok(())
}

/// Two hosts with one transactional id: the first ends at its next commit, and what it had not committed is nowhere.
#[test]
fn a_host_that_another_took_over_from_ends() -> Result<()> {
    let config = config(&servers::shared()?.kafka, "t.fenced", "")?;
    let topic = Topic::new(&config.brokers, &config.topic("acme"));
    runtime().block_on(async {
        let first = Writer::start(&config).await?;
        first.send(1_000).await?;
        first.drain().await?;
        let second = Writer::start(&config).await?;
        ensure!(second.accepted.count.load(Ordering::SeqCst) == 1_000, "the second goes on where the first was");
        first.send(500).await?;
        let ended = tokio::time::timeout(PATIENCE, first.working).await.context("the first host goes on")??;
        let Err(error) = ended;
        let sentence = format!("{error:#}");
        ensure!(sentence.contains("another host started with the same [kafka] transactional_id"), "{sentence}");
        second.send(2_000).await?;
        second.drain().await?;
        ensure!(position(&config).await? == 3_000);
        check(&topic.records()?, 3_000)
    })
}

/// Kafka is killed in mid-stream, and once away for so long that it gives the open transaction up.
#[test]
fn kafka_is_killed_and_gives_a_transaction_up() -> Result<()> {
    let stack = servers::own()?;
    let properties = "commit_ms = 20\nqueue_messages = 1000\nproperties = { \"transaction.timeout.ms\" = 4000 }";
    let config = config(&stack.kafka, "t.away", properties)?;
    let topic = Topic::new(&config.brokers, &config.topic("acme"));
    runtime().block_on(async {
        let writer = Arc::new(Writer::start(&config).await?);
        let sending = tokio::spawn({
            let writer = Arc::clone(&writer);
            async move {
                for _ in 0..200 {
                    writer.send(100).await?;
                    tokio::time::sleep(Duration::from_millis(50)).await;
                }
                writer.drain().await
            }
        });
        for away in [0, 8, 1] {
            tokio::time::sleep(Duration::from_secs(2)).await;
            stack.kafka().kill9()?;
            tokio::time::sleep(Duration::from_secs(away)).await;
            stack.kafka().restart()?;
        }
        sending.await??;
        ensure!(!writer.working.is_finished(), "the host ended, though nobody took over");
        ensure!(position(&config).await? == 20_000);
        check(&topic.records()?, 20_000)
    })
}

/// How often the host is killed: as often as fits into `KILLING`.
const KILLS: u32 = 20;
const KILLING: Duration = Duration::from_secs(90);

/// Seed 83. The host is killed over and over in mid-stream; a reader of committed records sees every trade once.
#[test]
fn the_host_is_killed_over_and_over() -> Result<()> {
    let markets = ["BTC/USDT", "ETH/USDT"];
    let mut options = SimulatorOptions::new(Protocol::Binance).with_markets(markets).map_err(anyhow::Error::msg)?;
    options.seed = 83;
    options.rate = Rate::PerSecond(200);
    options.wait_for_subscribers = markets.len();
    let exchange = Exchange::start(options)?;
    let pipeline = Pipeline::new("eo_kills", servers::shared()?)?
        .with_exchange("binance", &markets, &exchange)
        .with("kafka", "delivery = \"exactly-once\"");
    let mut random = fastrand::Rng::with_seed(83);
    let mut kills = 0;
    let mut host = pipeline.start_host()?;
    host.wait_ready()?;
    // A market of which nothing was ever committed has no position to go on from.
    wait::until_true("committed trades", PATIENCE, || {
        let (_, figures) = host.get("/metrics")?;
        let committed = figures.lines().find_map(|line| line.strip_prefix("tapedeck_delivered_records_total "));
        Ok(committed.context("no figure of deliveries")?.trim().parse::<u64>()? > 50)
    })?;
    let began = std::time::Instant::now();
    while kills < KILLS && began.elapsed() < KILLING {
        std::thread::sleep(Duration::from_millis(random.u64(300..2_500)));
        host.kill9()?;
        kills += 1;
        host = pipeline.start_host()?;
        host.wait_ready()?;
    }
    std::thread::sleep(Duration::from_secs(2));
    exchange.simulator().stop_publishing();
    std::thread::sleep(Duration::from_secs(1));
    let (topic, truth) = (pipeline.trades("binance"), exchange.truth()?);
    let waited = wait::until_true("every trade to be in Kafka", PATIENCE, || {
        Ok(received(&topic.records()?, &truth)?.len() == truth.len())
    });
    let records = topic.records()?;
    println!(
        "{kills} kills: {} trades, {} of them in {} records",
        truth.len(),
        received(&records, &truth)?.len(),
        records.len()
    );
    waited.with_context(|| host.log())?;
    host.stop_well()?;
    ensure!(topic.records()?.len() == truth.len(), "{} trades in {} records", truth.len(), records.len());
    ensure!(kills >= 5, "only {kills} kills in {KILLING:?}");
    Ok(())
}
