//! Time that passed, and time that this thread or process was on a processor.

use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use nix::time::{ClockId, clock_gettime};

use crate::sample::Sample;
use crate::unit::Unit;

/// Whose processor time is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Of {
    /// This thread's alone.
    Thread,
    /// That of all threads of this process.
    Process,
}

/// A clock that runs.
#[derive(Debug)]
pub struct Stopwatch {
    of: Of,
    began: Instant,
    cpu: Duration,
}

/// What passed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Elapsed {
    /// Time on the wall.
    pub wall: Duration,
    /// Time on processors.
    pub cpu: Duration,
}

impl Stopwatch {
    /// Starts it.
    ///
    /// # Errors
    /// The system has no such clock.
    pub fn start(of: Of) -> Result<Self> {
        Ok(Self { of, cpu: cpu(of)?, began: Instant::now() })
    }

    /// What passed since the start.
    ///
    /// # Errors
    /// As [`Stopwatch::start`].
    pub fn elapsed(&self) -> Result<Elapsed> {
        let wall = self.began.elapsed();
        Ok(Elapsed { wall, cpu: cpu(self.of)?.saturating_sub(self.cpu) })
    }
}

fn cpu(of: Of) -> Result<Duration> {
    let clock = match of {
        Of::Thread => ClockId::CLOCK_THREAD_CPUTIME_ID,
        Of::Process => ClockId::CLOCK_PROCESS_CPUTIME_ID,
    };
    Ok(clock_gettime(clock).context("the system has no clock of processor time")?.into())
}

impl Elapsed {
    /// The usual figures of a single thread that handled so many things: time on the wall and on the processor for each, and
    /// how many a core handles in a second.
    #[must_use]
    pub fn sample(self, things: u64) -> Sample {
        let things = things as f64;
        let (wall, cpu) = (self.wall.as_secs_f64(), self.cpu.as_secs_f64());
        Sample::new().with(CPU_EACH, cpu / things, Unit::Seconds).with(WALL_EACH, wall / things, Unit::Seconds).with(
            PER_CORE,
            things / cpu,
            Unit::PerSecond,
        )
    }
}

/// Name of the figure: processor time a trade.
pub const CPU_EACH: &str = "CPU a trade";
/// Name of the figure: time on the wall a trade.
pub const WALL_EACH: &str = "wall a trade";
/// Name of the figure: trades a second of processor time.
pub const PER_CORE: &str = "trades/s/core";
