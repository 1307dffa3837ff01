//! One host's hold on Kafka's transactions.
//!
//! Of all hosts with the same transactional id Kafka lets the last one go on that asked. Each host therefore writes whose
//! the id is, and the number of its transaction, into every transaction, as one more record of the topic of positions. When
//! a producer cannot go on, that record tells what librdkafka does not: whether another host took over, or only Kafka lost
//! patience while it was away; and whether a transaction of which no answer came is committed.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::anyhow;
use rdkafka::error::{KafkaError, KafkaResult, RDKafkaErrorCode};
use rdkafka::producer::{BaseProducer, BaseRecord, Producer as _};
use tracing::{error, warn};

use super::batch::Batch;
use crate::config::KafkaConfig;
use crate::sink::client::producer_config;
use crate::sink::positions;
use crate::sink::topics::LARGEST_RECORD_BYTES;

/// How long one call to librdkafka may block; it is repeated until it comes to something.
const CALL: Duration = Duration::from_secs(2);

/// Pause between two attempts.
const PAUSE: Duration = Duration::from_millis(200);

/// Why the committing thread ends.
#[derive(Debug)]
pub(super) enum End {
    /// It was told to.
    Stopped,
    /// The host cannot go on.
    Failed(anyhow::Error),
}

/// A producer of transactions.
pub(super) struct Transactor {
    config: KafkaConfig,
    topic: String,
    /// This host, and no other that ever was.
    owner: String,
    /// Of the transaction that is on its way, or of the last one.
    number: u64,
    producer: BaseProducer,
}

/// What is to be done about an error.
#[derive(Debug)]
enum Failure {
    /// Nothing of the transaction will be seen: produce it again.
    Aborted(KafkaError),
    /// The producer is of no more use, and whether the transaction is committed is not known.
    Broken(KafkaError),
    /// Told to stop.
    Stopped,
}

/// How an error of librdkafka is to be met.
enum Class {
    Again,
    Abort,
    Broken,
}

impl Transactor {
    pub(super) fn new(config: &KafkaConfig) -> KafkaResult<Self> {
        Ok(Self {
            config: config.clone(),
            topic: config.positions_topic(),
            owner: format!("{:032x}", fastrand::u128(..)),
            number: 0,
            producer: producer(config)?,
        })
    }

    /// Ends whatever a predecessor left open, and writes that the id is now this host's.
    pub(super) fn open(&mut self, stopping: &AtomicBool) -> Result<(), End> {
        let mut opened = self.initialise(stopping);
        loop {
            opened = match opened {
                Ok(()) => match self.attempt(&Batch::default(), stopping) {
                    Ok(()) => return Ok(()),
                    Err(Failure::Aborted(error)) => {
                        warn!(%error, "Kafka aborted the first transaction, trying again");
                        pause(stopping)?;
                        Ok(())
                    }
                    failed => failed,
                },
                Err(Failure::Stopped) => return Err(End::Stopped),
                Err(Failure::Aborted(error) | Failure::Broken(error)) => {
                    self.producer = producer(&self.config).map_err(|error| End::Failed(error.into()))?;
                    return Err(End::Failed(self.refused(&error)));
                }
            };
        }
    }

    /// Writes a batch as one transaction, however often that takes.
    pub(super) fn commit(&mut self, batch: &Batch, stopping: &AtomicBool) -> Result<(), End> {
        self.number += 1;
        let mut said = false;
        loop {
            match self.attempt(batch, stopping) {
                Ok(()) => return Ok(()),
                Err(Failure::Stopped) => return Err(End::Stopped),
                Err(Failure::Aborted(error)) => {
                    if !std::mem::replace(&mut said, true) {
                        warn!(%error, records = batch.len(), "Kafka aborted a transaction, producing it again");
                    }
                    std::thread::sleep(PAUSE);
                }
                Err(Failure::Broken(error)) => {
                    warn!(%error, "Kafka's producer cannot go on, asking Kafka how the transaction ended");
                    if self.take_over(&error, stopping)? {
                        return Ok(());
                    }
                }
            }
        }
    }

    fn attempt(&self, batch: &Batch, stopping: &AtomicBool) -> Result<(), Failure> {
        let result = self.produce(batch, stopping).and_then(|()| {
            until_answered(stopping, || {
                // librdkafka's own flush would not take delivery reports, and wait for ever.
                self.producer.flush(CALL)?;
                self.producer.commit_transaction(CALL)
            })
        });
        let Err(Failure::Aborted(error)) = result else { return result };
        self.abort(stopping)?;
        Err(Failure::Aborted(error))
    }

    fn produce(&self, batch: &Batch, stopping: &AtomicBool) -> Result<(), Failure> {
        until_answered(stopping, || self.producer.begin_transaction())?;
        let headers = positions::headers();
        for record in batch.records() {
            let mut next = BaseRecord::to(record.topic).key(record.key).payload(record.payload);
            next.headers = record.headers.cloned();
            self.send(next, stopping)?;
        }
        let (key, payload) = (marker_key(&self.config), format!("{} {}", self.owner, self.number));
        self.send(
            BaseRecord::to(&self.topic).key(key.as_bytes()).payload(payload.as_bytes()).headers(headers),
            stopping,
        )
    }

    fn send(&self, mut record: BaseRecord<'_, [u8], [u8]>, stopping: &AtomicBool) -> Result<(), Failure> {
        loop {
            match self.producer.send(record) {
                Ok(()) => return Ok(()),
                Err((KafkaError::MessageProduction(RDKafkaErrorCode::QueueFull), back)) => {
                    if stopping.load(Ordering::Acquire) {
                        return Err(Failure::Stopped);
                    }
                    record = back;
                    self.producer.poll(Duration::from_millis(20));
                }
                Err((error @ KafkaError::MessageProduction(RDKafkaErrorCode::MessageSizeTooLarge), back)) => {
                    error!(topic = back.topic, %error, "Kafka can never take this record: it is lost");
                    return Ok(());
                }
                // What happened to the transaction before shows here; ending it tells.
                Err((error, _)) => return Err(Failure::Aborted(error)),
            }
        }
    }

    /// Aborts the running transaction. Delivery reports of what is thrown away have to be taken meanwhile.
    fn abort(&self, stopping: &AtomicBool) -> Result<(), Failure> {
        let done = AtomicBool::new(false);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                while !done.load(Ordering::Acquire) {
                    self.producer.poll(Duration::from_millis(20));
                }
            });
            let aborted = until_answered(stopping, || self.producer.abort_transaction(CALL));
            done.store(true, Ordering::Release);
            match aborted {
                Err(Failure::Aborted(error)) => Err(Failure::Broken(error)),
                other => other,
            }
        })
    }

    /// Replaces a producer that cannot go on. Returns whether its last transaction is committed.
    fn take_over(&mut self, why: &KafkaError, stopping: &AtomicBool) -> Result<bool, End> {
        loop {
            self.check_owner(why, stopping)?;
            self.producer = producer(&self.config).map_err(|error| End::Failed(error.into()))?;
            match self.initialise(stopping) {
                Ok(()) => {}
                Err(Failure::Stopped) => return Err(End::Stopped),
                Err(Failure::Aborted(error) | Failure::Broken(error)) => {
                    warn!(%error, "Kafka does not take a new producer yet, trying again");
                    pause(stopping)?;
                    continue;
                }
            }
            // Only now nothing is open any more: what is not to be seen now will never be.
            return Ok(self.check_owner(why, stopping)? == self.number);
        }
    }

    /// The number of the last transaction that is committed; an error if it is another host's.
    fn check_owner(&self, why: &KafkaError, stopping: &AtomicBool) -> Result<u64, End> {
        let marker = loop {
            match positions::read_all(&self.config) {
                Ok(mut all) => break all.remove(marker_key(&self.config).as_bytes()).unwrap_or_default(),
                Err(error) => warn!(reason = format!("{error:#}"), "asking Kafka again"),
            }
            pause(stopping)?;
        };
        let marker = String::from_utf8_lossy(&marker).into_owned();
        match marker.split_once(' ') {
            Some((owner, number)) if owner == self.owner => Ok(number.parse().unwrap_or(0)),
            _ => Err(End::Failed(self.refused(why))),
        }
    }

    /// Ends what was left open under this id, by whichever host.
    fn initialise(&self, stopping: &AtomicBool) -> Result<(), Failure> {
        until_answered(stopping, || self.producer.init_transactions(CALL))
    }

    fn refused(&self, why: &KafkaError) -> anyhow::Error {
        let id = &self.config.transactional_id;
        anyhow!(
            "Kafka at {} does not take this host's transactions any more ({why}): most likely another host started with the \
             same [kafka] transactional_id, {id:?}. It goes on, this one ends; give one of them another id if both are to run",
            self.config.brokers
        )
    }
}

fn producer(config: &KafkaConfig) -> KafkaResult<BaseProducer> {
    let mut client = producer_config(config);
    client
        .set("transactional.id", &config.transactional_id)
        // Records are bounded before they come here; a whole batch must fit, and one record may be larger than all bounds.
        .set("queue.buffering.max.messages", (config.queue_messages.max(1_000)).to_string())
        .set("queue.buffering.max.kbytes", (config.queue_bytes.max(LARGEST_RECORD_BYTES.into()) / 512).to_string());
    client.create()
}

/// Cannot be a market's key: it has no `:` behind a name.
fn marker_key(config: &KafkaConfig) -> String {
    format!("{}{}", positions::MARKER, config.transactional_id)
}

fn pause(stopping: &AtomicBool) -> Result<(), End> {
    std::thread::sleep(PAUSE);
    if stopping.load(Ordering::Acquire) { Err(End::Stopped) } else { Ok(()) }
}

/// Repeats a call for as long as librdkafka says that it may yet succeed.
fn until_answered(stopping: &AtomicBool, call: impl Fn() -> KafkaResult<()>) -> Result<(), Failure> {
    loop {
        let Err(error) = call() else { return Ok(()) };
        match classify(&error) {
            Class::Abort => return Err(Failure::Aborted(error)),
            Class::Broken => return Err(Failure::Broken(error)),
            Class::Again if stopping.load(Ordering::Acquire) => return Err(Failure::Stopped),
            Class::Again => {}
        }
    }
}

fn classify(error: &KafkaError) -> Class {
    match error {
        KafkaError::Flush(RDKafkaErrorCode::OperationTimedOut) => Class::Again,
        KafkaError::Transaction(error) if error.is_fatal() => Class::Broken,
        KafkaError::Transaction(error) if error.txn_requires_abort() => Class::Abort,
        KafkaError::Transaction(error) if error.is_retriable() => Class::Again,
        // What librdkafka gives no advice for is met by a new producer, which is always right.
        _ => Class::Broken,
    }
}
