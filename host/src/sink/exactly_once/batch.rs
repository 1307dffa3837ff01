//! The records of one transaction, kept until it is committed.

use rdkafka::message::OwnedHeaders;

use crate::config::KafkaConfig;
use crate::sink::deliveries::{Deliveries, Opaque};
use crate::sink::positions::{self, CheckpointRecord};
use crate::sink::{Account, Outgoing};

/// Records in their order. Keys and payloads stand one after the other in one buffer, which is used again.
#[derive(Debug, Default)]
pub(super) struct Batch {
    bytes: Vec<u8>,
    entries: Vec<Entry>,
    /// A host has few topics: they are found faster one by one than by a hash.
    topics: Vec<String>,
}

#[derive(Debug)]
struct Entry {
    topic: usize,
    key_bytes: usize,
    payload_bytes: usize,
    headers: Option<OwnedHeaders>,
    opaque: Opaque,
}

impl Batch {
    pub(super) fn push(&mut self, record: &Outgoing<'_>, opaque: Opaque) {
        let known = self.topics.iter().position(|topic| topic == record.topic);
        let topic = known.unwrap_or_else(|| {
            self.topics.push(record.topic.to_owned());
            self.topics.len() - 1
        });
        self.bytes.extend_from_slice(record.key);
        self.bytes.extend_from_slice(record.payload);
        let (key_bytes, payload_bytes) = (record.key.len(), record.payload.len());
        self.entries.push(Entry { topic, key_bytes, payload_bytes, headers: record.headers.cloned(), opaque });
    }

    pub(super) fn push_position(&mut self, position: &CheckpointRecord, config: &KafkaConfig, deliveries: &Deliveries) {
        let record = Outgoing {
            topic: &config.positions_topic(),
            key: &position.key,
            payload: &position.payload,
            headers: Some(&positions::headers()),
            account: Account::NONE,
        };
        self.push(&record, deliveries.handed_over(Account::NONE.0));
    }

    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    pub(super) fn bytes(&self) -> usize {
        self.bytes.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The records, in the order in which they came.
    pub(super) fn records(&self) -> impl Iterator<Item = Outgoing<'_>> {
        let mut rest = self.bytes.as_slice();
        self.entries.iter().map(move |entry| {
            let (key, after) = rest.split_at(entry.key_bytes);
            let (payload, after) = after.split_at(entry.payload_bytes);
            rest = after;
            let topic = &self.topics[entry.topic];
            Outgoing { topic, key, payload, headers: entry.headers.as_ref(), account: Account::NONE }
        })
    }

    /// Empties it; each record is settled.
    pub(super) fn drain(&mut self, settle: impl FnMut(Opaque)) {
        self.entries.drain(..).map(|entry| entry.opaque).for_each(settle);
        self.bytes.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::SinkMetrics;

    #[test]
    fn records_come_out_as_they_went_in_as_often_as_they_are_asked_for() {
        let deliveries = Deliveries::new(SinkMetrics::default());
        let mut batch = Batch::default();
        for round in 0..2 {
            let sent = [("trades", "a", "1"), ("dead", "", "22"), ("trades", "bb", ""), ("positions", "k", "333")];
            for (topic, key, payload) in sent {
                let (key, payload) = (key.as_bytes(), payload.as_bytes());
                let record = Outgoing { topic, key, payload, headers: None, account: Account(1) };
                batch.push(&record, deliveries.handed_over(1));
            }
            for _ in 0..2 {
                let text = |bytes| std::str::from_utf8(bytes).unwrap();
                let back = batch.records().map(|record| (record.topic, text(record.key), text(record.payload)));
                assert_eq!(back.collect::<Vec<_>>(), sent, "round {round}");
            }
            assert_eq!((batch.len(), deliveries.in_flight()), (4, 4));
            batch.drain(|opaque| deliveries.delivered(opaque));
            assert!(batch.is_empty() && batch.bytes() == 0 && deliveries.in_flight() == 0);
        }
    }
}
