//! What all runs share: one broker, folders, and names that no run before has used.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use anyhow::{Context, Result};
use xtask::stack::{Broker, Stack, StackOptions};

use super::client::Programs;

/// A broker, and where runs keep what they write.
pub struct Stage {
    stack: Stack,
    folder: PathBuf,
    pub(super) programs: Programs,
    runs: AtomicU32,
}

impl Stage {
    /// Starts Kafka, as fast as it runs.
    ///
    /// # Errors
    /// It does not start, or the folder cannot be made.
    pub fn new(folder: &Path, programs: Programs) -> Result<Self> {
        fs::create_dir_all(folder).with_context(|| format!("the folder {} cannot be made", folder.display()))?;
        let stack = Stack::start(&StackOptions { optimised: true, ..StackOptions::default() })?;
        // It is not needed here, and would use a processor now and then.
        stack.clickhouse().stop()?;
        Ok(Self { stack, folder: folder.to_path_buf(), programs, runs: AtomicU32::new(0) })
    }

    /// Kafka.
    pub(super) fn broker(&self) -> &Broker {
        self.stack.kafka()
    }

    /// Where runs keep what they write.
    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Name and empty folder of the next run.
    pub(super) fn next_run(&self) -> Result<(String, PathBuf)> {
        let name = format!("bench.{}", self.runs.fetch_add(1, Ordering::Relaxed));
        let folder = self.folder.join(&name);
        if folder.exists() {
            fs::remove_dir_all(&folder).with_context(|| format!("{} cannot be emptied", folder.display()))?;
        }
        fs::create_dir_all(&folder).with_context(|| format!("the folder {} cannot be made", folder.display()))?;
        Ok((name, folder))
    }
}
