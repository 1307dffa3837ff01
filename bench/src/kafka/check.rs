//! Reads a topic and says what is wrong with it: ids that are missing, come twice, or come after a later one.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow, ensure};
use rdkafka::Message as _;
use rdkafka::consumer::BaseConsumer;

use super::topic::Topic;
use crate::load::FIRST_ID;
use crate::moment::Moment;

/// How long a topic may give nothing although more is known to be in it.
const PATIENCE: Duration = Duration::from_secs(20);

/// What was read.
#[derive(Debug, Default)]
pub(super) struct Seen {
    /// When each trade was seen first, by its place in the load; none if it was not.
    times: Vec<Option<Moment>>,
    /// Records that repeat a trade.
    pub(super) twice: u64,
    /// Records with a lower id than the one before in their partition.
    pub(super) out_of_order: u64,
    /// Records that are no trade of the load.
    pub(super) foreign: u64,
    last: [u64; 16],
}

impl Seen {
    fn add(&mut self, partition: i32, payload: &[u8], time: Moment) {
        let Some(place) = id(payload).and_then(|id| id.checked_sub(FIRST_ID)).filter(|place| *place < 1 << 32) else {
            self.foreign += 1;
            return;
        };
        let last = &mut self.last[partition.rem_euclid(16) as usize];
        self.out_of_order += u64::from(place < *last);
        *last = place;
        let index = place as usize;
        if index >= self.times.len() {
            self.times.resize(index + 1, None);
        }
        match &mut self.times[index] {
            Some(_) => self.twice += 1,
            first => *first = Some(time),
        }
    }

    /// How many of the first `trades` are not there.
    pub(super) fn lost(&self, trades: u64) -> u64 {
        trades - self.times.iter().take(trades as usize).flatten().count() as u64
    }

    /// How long each trade took that was sent at these times; those that are not there took none.
    pub(super) fn latencies(&self, sent: &[Moment]) -> Vec<Duration> {
        let pairs = sent.iter().zip(&self.times);
        pairs.filter_map(|(sent, seen)| seen.map(|seen| seen.since(*sent))).collect()
    }
}

/// The number behind `"trade_id":` or, where another program names it so, `"id":`.
fn id(payload: &[u8]) -> Option<u64> {
    let behind = |name: &[u8]| {
        let at = payload.windows(name.len()).position(|window| window == name)?;
        Some(&payload[at + name.len()..])
    };
    let rest = behind(b"\"trade_id\":").or_else(|| behind(b"\"id\":"))?;
    let digits = rest.iter().skip_while(|byte| matches!(byte, b'"' | b' ')).take_while(|byte| byte.is_ascii_digit());
    let mut any = false;
    let id = digits.fold(0_u64, |id, digit| {
        any = true;
        id.wrapping_mul(10).wrapping_add(u64::from(digit - b'0'))
    });
    any.then_some(id)
}

/// Reads everything that a topic holds now.
pub(super) fn read(topic: &Topic) -> Result<Seen> {
    let records = topic.records()?;
    let consumer = topic.consume()?;
    let mut seen = Seen::default();
    let (mut count, mut last) = (0, Instant::now());
    while count < records {
        if poll(&consumer, &mut seen)? {
            (count, last) = (count + 1, Instant::now());
        }
        ensure!(last.elapsed() < PATIENCE, "of {records} records only {count} can be read");
    }
    Ok(seen)
}

/// One record, if one comes soon.
fn poll(consumer: &BaseConsumer, seen: &mut Seen) -> Result<bool> {
    match consumer.poll(Duration::from_millis(100)) {
        Some(Ok(message)) => {
            seen.add(message.partition(), message.payload().unwrap_or_default(), Moment::now());
            Ok(true)
        }
        Some(Err(error)) => Err(error).context("the topic cannot be read"),
        None => Ok(false),
    }
}

/// A reader that sees records as soon as they are there, on a thread of its own.
pub(super) struct Watcher {
    records: Arc<AtomicU64>,
    stop: Arc<AtomicBool>,
    thread: JoinHandle<Result<Seen>>,
}

impl Watcher {
    /// Begins to read a topic.
    pub(super) fn start(topic: &Topic) -> Result<Self> {
        let consumer = topic.consume()?;
        let (records, stop) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicBool::new(false)));
        let (counter, asked) = (Arc::clone(&records), Arc::clone(&stop));
        let thread = std::thread::spawn(move || {
            let mut seen = Seen::default();
            while !asked.load(Ordering::Relaxed) {
                if poll(&consumer, &mut seen)? {
                    counter.fetch_add(1, Ordering::Relaxed);
                }
            }
            Ok(seen)
        });
        Ok(Self { records, stop, thread })
    }

    /// How many records it has seen.
    pub(super) fn records(&self) -> u64 {
        self.records.load(Ordering::Relaxed)
    }

    /// Ends it and takes what it saw.
    pub(super) fn finish(self) -> Result<Seen> {
        self.stop.store(true, Ordering::Relaxed);
        self.thread.join().map_err(|_| anyhow!("the reader panicked"))?
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_found_however_they_are_written() {
        for text in
            [r#"{"id":1,"trade_id":"1600000007","x":2}"#, r#"{"trade_id": 1600000007}"#, r#"{"id": "1600000007"}"#]
        {
            assert_eq!(id(text.as_bytes()), Some(1_600_000_007), "{text}");
        }
        assert_eq!(id(br#"{"trade_id":"x"}"#), None);
        assert_eq!(id(b"{}"), None);
    }

    #[test]
    fn what_is_wrong_is_counted() {
        let mut seen = Seen::default();
        for (partition, id) in [(0, 0), (0, 2), (0, 1), (1, 4), (0, 4), (2, 99)] {
            seen.add(partition, format!(r#"{{"trade_id":"{}"}}"#, FIRST_ID + id).as_bytes(), Moment(10 + id));
        }
        seen.add(0, b"{}", Moment(0));
        assert_eq!((seen.lost(5), seen.twice, seen.out_of_order, seen.foreign), (1, 1, 1, 1));
        let latencies = seen.latencies(&[Moment(9); 5]);
        assert_eq!(latencies, [1, 2, 3, 5].map(Duration::from_nanos));
    }
}
