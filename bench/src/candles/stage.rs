//! What all runs share: Kafka with the records that wait in it, and ClickHouse.

use std::sync::atomic::{AtomicU32, Ordering};

use anyhow::Result;
use tapedeck_tests::kafka::Topic;
use xtask::stack::{Client, Stack, StackOptions};

use super::RECORDS;
use super::records::{self, Backlog};
use crate::suite::Setting;

/// Kafka, ClickHouse, and a topic that every run reads from its beginning.
pub(super) struct Stage<'a> {
    pub(super) setting: &'a Setting,
    pub(super) stack: Stack,
    pub(super) topic: Topic,
    pub(super) backlog: Backlog,
    runs: AtomicU32,
}

impl<'a> Stage<'a> {
    /// Starts both, and fills the topic.
    pub(super) fn new(setting: &'a Setting) -> Result<Self> {
        let stack = Stack::start(&StackOptions { optimised: true, ..StackOptions::default() })?;
        let topic = Topic::new(&stack.kafka, &format!("backlog.{}", records::EXCHANGE));
        topic.create()?;
        println!("  writing {RECORDS} records into Kafka");
        let backlog = records::fill(&stack.kafka, &topic, RECORDS)?;
        Ok(Self { setting, stack, topic, backlog, runs: AtomicU32::new(0) })
    }

    pub(super) fn client(&self) -> Client {
        self.stack.clickhouse().client()
    }

    /// A name that no run before has used.
    pub(super) fn next_run(&self) -> String {
        format!("candles_{}", self.runs.fetch_add(1, Ordering::Relaxed))
    }
}
