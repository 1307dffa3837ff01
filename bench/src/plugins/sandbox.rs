//! A plugin in its sandbox, called as the host calls it.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use tapedeck::frames::FrameBatch;
use tapedeck::plugin::{Decoded, Instance, Runtime};

use super::SECONDS;
use super::frames::{self, Frames};
use crate::clock::{Of, Stopwatch};
use crate::contender::Contender;
use crate::sample::Sample;

/// Any time does: it is the host's, and only written down.
const RECEIVED_AT_US: i64 = 1_700_000_000_000_000;

/// A session that decodes the same frames over and over.
pub(super) struct Sandbox<'a> {
    name: String,
    runtime: &'a Runtime,
    plugin: PathBuf,
    frames: &'a Frames,
    batches: Vec<FrameBatch>,
    instance: Option<Instance>,
    decoded: Decoded,
}

impl<'a> Sandbox<'a> {
    pub(super) fn new(name: String, runtime: &'a Runtime, plugin: &Path, frames: &'a Frames, batch: usize) -> Self {
        let batches = frames.frames.chunks(batch).map(|frames| {
            let mut batch = FrameBatch::new();
            // A few kilobytes always fit.
            frames.iter().for_each(|frame| _ = batch.push(frame.as_bytes()));
            batch
        });
        let batches = batches.collect();
        let plugin = plugin.to_owned();
        Self { name, runtime, plugin, frames, batches, instance: None, decoded: Decoded::new() }
    }

    /// Decodes all frames once.
    fn pass(&mut self) -> Result<()> {
        let instance = self.instance.as_mut().context("the session is not open")?;
        let mut trades = 0;
        for batch in &self.batches {
            instance.decode(batch, RECEIVED_AT_US, &mut self.decoded);
            trades += self.decoded.trades.len() as u64;
            ensure!(self.decoded.refused.is_empty(), "a frame was refused: {:?}", self.decoded.refused);
        }
        ensure!(trades == self.frames.trades, "{trades} trades came out, and there are {}", self.frames.trades);
        Ok(())
    }
}

impl Contender for Sandbox<'_> {
    fn name(&self) -> String {
        self.name.clone()
    }

    fn set_up(&mut self) -> Result<()> {
        let (instance, _) = frames::open(self.runtime, &self.plugin, &self.frames.markets, None)?;
        self.instance = Some(instance);
        Ok(())
    }

    fn run(&mut self) -> Result<Sample> {
        // Warms up.
        self.pass()?;
        let stopwatch = Stopwatch::start(Of::Thread)?;
        let mut passes = 0;
        loop {
            self.pass()?;
            passes += 1;
            let elapsed = stopwatch.elapsed()?;
            if elapsed.cpu.as_secs_f64() >= SECONDS {
                return Ok(elapsed.sample(passes * self.frames.trades));
            }
        }
    }

    fn is_required(&self) -> bool {
        true
    }
}
