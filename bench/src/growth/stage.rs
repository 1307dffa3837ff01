//! What all runs share: Kafka alone, and topics that no run before has used.

use std::cell::Cell;

use anyhow::Result;
use tapedeck_tests::pipeline::Pipeline;
use xtask::stack::{Stack, StackOptions};

use crate::suite::Setting;

/// Kafka, and the setting of the part.
pub(super) struct Stage<'a> {
    pub(super) setting: &'a Setting,
    stack: Stack,
    runs: Cell<u32>,
}

impl<'a> Stage<'a> {
    /// Starts Kafka.
    pub(super) fn new(setting: &'a Setting) -> Result<Self> {
        let stack = Stack::start(&StackOptions { optimised: true, ..StackOptions::default() })?;
        // It is not needed here, and would use a processor now and then.
        stack.clickhouse().stop()?;
        Ok(Self { setting, stack, runs: Cell::new(0) })
    }

    /// A host's configuration without a feed.
    pub(super) fn pipeline(&self) -> Result<Pipeline> {
        let run = self.runs.replace(self.runs.get() + 1);
        Ok(Pipeline::new(&format!("growth_{run}"), &self.stack)?.with_plugins(&self.setting.plugins))
    }
}
