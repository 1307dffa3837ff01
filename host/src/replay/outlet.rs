//! The way of what was decoded again to Kafka.

use std::convert::Infallible;
use std::time::Duration;

use anyhow::{Context as _, bail};
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout};

use crate::config::{Config, Delivery, KafkaConfig};
use crate::metrics::Metrics;
use crate::sink::record::RecordTemplate;
use crate::sink::{Account, Outgoing, Sink, topics};
use crate::trade::Trade;

/// How long Kafka may take no record before that is given up.
const PATIENCE: Duration = Duration::from_secs(60);

/// A producer for one command. It delivers each record at least once.
pub struct Outlet {
    sink: Sink,
    account: Account,
    running: JoinHandle<anyhow::Result<Infallible>>,
    config: Config,
    line: Vec<u8>,
    sent: u64,
}

impl Outlet {
    /// Connects, and makes the topics of these exchanges that are missing.
    ///
    /// # Errors
    /// Kafka cannot be reached.
    pub async fn open(config: &Config, exchanges: impl IntoIterator<Item = &str>) -> anyhow::Result<Self> {
        topics::ensure(&config.kafka, topics::topics(&config.kafka, exchanges)).await?;
        let metrics = Metrics::new();
        // The transactions are those of the host that runs: who else began one would end it.
        let kafka = KafkaConfig { delivery: Delivery::AtLeastOnce, ..config.kafka.clone() };
        let sink = Sink::new(&kafka, None, &metrics.sink())?;
        let account = sink.account(&metrics.session("replay", 0));
        let running = tokio::spawn(sink.clone().run());
        Ok(Self { sink, account, running, config: config.clone(), line: Vec::new(), sent: 0 })
    }

    /// Produces a trade to the topic of its exchange.
    ///
    /// # Errors
    /// Kafka takes no record for a minute, or can never take this one.
    pub async fn send(
        &mut self,
        exchange: &str,
        template: &RecordTemplate,
        trade: &Trade,
        received_at_us: i64,
    ) -> anyhow::Result<()> {
        let Some(key) = template.key(trade.market) else { return Ok(()) };
        template.write(trade, received_at_us, &mut self.line);
        let topic = self.config.kafka.topic(exchange);
        let record = Outgoing {
            topic: &topic,
            key,
            payload: &self.line,
            headers: self.config.kafka.headers.then(|| template.headers(trade.source)),
            account: self.account,
        };
        let sent = timeout(PATIENCE, self.sink.send(&record, || ())).await;
        let sent = sent.with_context(|| format!("Kafka at {} takes no records", self.config.kafka.brokers))?;
        sent.with_context(|| format!("Kafka can never take trade {}", trade.id))?;
        self.sent += 1;
        Ok(())
    }

    /// Waits until Kafka has acknowledged everything. Returns how many records it was.
    ///
    /// # Errors
    /// It has not within `limits.drain_seconds`.
    pub async fn finish(self) -> anyhow::Result<u64> {
        let left = self.sink.drain(Instant::now() + self.config.limits.drain).await;
        self.running.abort();
        if left > 0 {
            bail!(
                "{left} of {} records were not acknowledged by Kafka at {} within {} s ([limits] drain_seconds); run the \
                 command again, repetitions do no harm",
                self.sent,
                self.config.kafka.brokers,
                self.config.limits.drain.as_secs()
            );
        }
        Ok(self.sent)
    }
}
