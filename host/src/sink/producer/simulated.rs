//! A Kafka in memory, for tests in simulated time: producers with bounded queues, and a broker that may be away, refuse
//! deliveries, and be left in the middle of one.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use fastrand::Rng;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::OwnedMessage;
use rdkafka::{Timestamp, message::OwnedHeaders};
use tokio::sync::Notify;
use tokio::time::sleep;

use super::super::Outgoing;
use super::super::deliveries::{Deliveries, Opaque};

/// The most records that one request carries.
const BATCH: usize = 200;

/// A record that is in Kafka for good.
#[derive(Clone, Debug)]
pub(crate) struct Record {
    pub(crate) topic: String,
    pub(crate) key: Vec<u8>,
    pub(crate) payload: Vec<u8>,
    headers: Option<OwnedHeaders>,
}

/// What befalls deliveries, in parts of a thousand.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Luck {
    /// A request is refused as a whole.
    pub(crate) refused: u32,
    /// A request costs its producer its place in the sequence.
    pub(crate) fatal: u32,
}

/// Who is told of a record.
type Appended = Box<dyn Fn(&Record, u64) + Send + Sync>;

/// The broker. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Broker(Arc<Shared>);

struct Shared {
    state: Mutex<State>,
    /// Told each record that is in Kafka for good, and how many requests were refused so far.
    appended: Appended,
}

struct State {
    rng: Rng,
    luck: Luck,
    is_away: bool,
    refusals: u64,
}

impl Broker {
    pub(crate) fn new(rng: Rng, appended: impl Fn(&Record, u64) + Send + Sync + 'static) -> Self {
        let state = State { rng, luck: Luck::default(), is_away: false, refusals: 0 };
        Self(Arc::new(Shared { state: Mutex::new(state), appended: Box::new(appended) }))
    }

    pub(crate) fn set_luck(&self, luck: Luck) {
        self.state().luck = luck;
    }

    pub(crate) fn set_away(&self, is_away: bool) {
        self.state().is_away = is_away;
    }

    pub(crate) fn is_away(&self) -> bool {
        self.state().is_away
    }

    /// Deliveries that were refused or broken off so far.
    pub(crate) fn refusals(&self) -> u64 {
        self.state().refusals
    }

    pub(super) fn producer(&self, deliveries: &Arc<Deliveries>, room: u32) -> Arc<Producer> {
        let (deliveries, work) = (Arc::clone(deliveries), Arc::new(Notify::new()));
        let queue = Mutex::default();
        let producer = Arc::new(Producer {
            deliveries,
            broker: self.clone(),
            room: room as usize,
            queue,
            work: Arc::clone(&work),
        });
        tokio::spawn(deliver(self.clone(), Arc::downgrade(&producer), Arc::clone(&producer.deliveries), work));
        producer
    }

    fn append(&self, batch: &[Queued]) {
        let refusals = self.refusals();
        batch.iter().for_each(|(record, _)| (self.0.appended)(record, refusals));
    }

    fn chance(&self, thousandth: u32) -> bool {
        self.state().rng.u32(0..1000) < thousandth
    }

    fn latency(&self) -> Duration {
        Duration::from_millis(self.state().rng.u64(1..=20))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A producer of one host.
pub(crate) struct Producer {
    deliveries: Arc<Deliveries>,
    broker: Broker,
    room: usize,
    queue: Mutex<Queue>,
    work: Arc<Notify>,
}

type Queued = (Record, Opaque);

#[derive(Default)]
struct Queue {
    waiting: VecDeque<Queued>,
    flying: usize,
    /// What flies comes back as failed, whatever becomes of it.
    is_purged: bool,
    is_fatal: bool,
}

impl Producer {
    pub(super) fn send(&self, record: &Outgoing<'_>, opaque: Opaque) -> Result<(), KafkaError> {
        let mut queue = self.queue();
        if queue.is_fatal {
            return Err(KafkaError::MessageProduction(RDKafkaErrorCode::Fatal));
        }
        if queue.waiting.len() + queue.flying >= self.room {
            return Err(KafkaError::MessageProduction(RDKafkaErrorCode::QueueFull));
        }
        let record = Record {
            topic: record.topic.to_owned(),
            key: record.key.to_vec(),
            payload: record.payload.to_vec(),
            headers: record.headers.cloned(),
        };
        queue.waiting.push_back((record, opaque));
        self.work.notify_one();
        Ok(())
    }

    pub(super) fn fatal_error(&self) -> Option<(RDKafkaErrorCode, String)> {
        self.queue().is_fatal.then(|| (RDKafkaErrorCode::OutOfOrderSequenceNumber, "simulated".to_owned()))
    }

    pub(super) fn purge(&self) {
        let waiting = {
            let mut queue = self.queue();
            queue.is_purged = true;
            std::mem::take(&mut queue.waiting)
        };
        fail(&self.deliveries, waiting, RDKafkaErrorCode::PurgeQueue);
    }

    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn take(&self) -> Vec<Queued> {
        let mut queue = self.queue();
        let count = queue.waiting.len().min(BATCH);
        queue.flying = count;
        queue.waiting.drain(..count).collect()
    }

    fn landed(&self) {
        self.queue().flying = 0;
    }
}

impl Drop for Producer {
    fn drop(&mut self) {
        self.broker.state().refusals += u64::from(self.queue().is_fatal);
        let waiting = std::mem::take(&mut self.queue().waiting);
        fail(&self.deliveries, waiting, RDKafkaErrorCode::PurgeQueue);
        // Else what waits for the next request would wait for ever.
        self.work.notify_one();
    }
}

/// Carries requests for as long as there is the producer.
async fn deliver(broker: Broker, producer: Weak<Producer>, deliveries: Arc<Deliveries>, work: Arc<Notify>) {
    loop {
        work.notified().await;
        sleep(broker.latency()).await;
        while producer.strong_count() > 0 && broker.is_away() {
            sleep(Duration::from_millis(100)).await;
        }
        loop {
            let Some(batch) = producer.upgrade().map(|producer| producer.take()) else { return };
            if batch.is_empty() {
                break;
            }
            let (refused, fatal) = {
                let luck = broker.state().luck;
                (broker.chance(luck.refused), broker.chance(luck.fatal))
            };
            if refused || fatal {
                broker.state().refusals += 1;
                if fatal && broker.chance(500) {
                    broker.append(&batch);
                }
                let Some(producer) = producer.upgrade() else { return };
                producer.landed();
                producer.queue().is_fatal |= fatal;
                fail(&deliveries, batch, RDKafkaErrorCode::Fail);
            } else if !fly(&broker, &producer, &deliveries, batch).await {
                return;
            }
        }
    }
}

/// One request, and its answer if there is still somebody to hear it. Kafka knows a record that it has got already.
async fn fly(broker: &Broker, producer: &Weak<Producer>, deliveries: &Arc<Deliveries>, batch: Vec<Queued>) -> bool {
    let mut is_written = false;
    loop {
        sleep(broker.latency()).await;
        let producer = producer.upgrade();
        let is_heard = producer.as_ref().is_some_and(|producer| !producer.queue().is_purged);
        let is_away = broker.is_away();
        if !is_written && ((is_heard && !is_away) || broker.chance(500)) {
            broker.append(&batch);
            is_written = true;
        }
        if !is_heard {
            broker.state().refusals += 1;
            fail(deliveries, batch, RDKafkaErrorCode::PurgeInflight);
        } else if is_written && !is_away {
            batch.into_iter().for_each(|(_, opaque)| deliveries.delivered(opaque));
            deliveries.wake();
        } else {
            continue;
        }
        return producer.is_some_and(|producer| {
            producer.landed();
            true
        });
    }
}

fn fail(deliveries: &Deliveries, queued: impl IntoIterator<Item = Queued>, code: RDKafkaErrorCode) {
    for (Record { topic, key, payload, headers }, opaque) in queued {
        let message = OwnedMessage::new(Some(payload), Some(key), topic, Timestamp::NotAvailable, 0, -1, headers);
        deliveries.failed(&KafkaError::MessageProduction(code), message, opaque);
    }
    deliveries.wake();
}
