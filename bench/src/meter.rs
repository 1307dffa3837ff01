//! What a process uses over some time: processors and memory.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use xtask::interrupt;
use xtask::stack::usage::usage;

use crate::kafka::cpu::Cpu;

/// A process that is watched.
#[derive(Debug)]
pub struct Meter {
    pid: u32,
    began: Instant,
    cpu: Duration,
}

/// What a process used.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Used {
    /// Processor time since the beginning, in user and kernel mode, all threads.
    pub cpu: Duration,
    /// The same as processors' worth.
    pub cores: f64,
    /// Resident memory at the end, bytes.
    pub memory: f64,
}

impl Meter {
    /// Begins.
    ///
    /// # Errors
    /// The process is gone.
    pub fn start(pid: u32) -> Result<Self> {
        Ok(Self { pid, cpu: Cpu::of(pid)?.all, began: Instant::now() })
    }

    /// What was used since.
    ///
    /// # Errors
    /// The process is gone.
    pub fn read(&self) -> Result<Used> {
        let cpu = Cpu::of(self.pid)?.all.saturating_sub(self.cpu);
        let cores = cpu.as_secs_f64() / self.began.elapsed().as_secs_f64();
        let memory = usage(self.pid).with_context(|| gone(self.pid))?.memory as f64;
        Ok(Used { cpu, cores, memory })
    }
}

fn gone(pid: u32) -> String {
    format!("process {pid} is gone")
}

/// Lets processes run for some time.
///
/// # Errors
/// Somebody has asked to end.
pub fn pass(time: Duration) -> Result<()> {
    interrupt::sleep(time);
    if interrupt::asked() {
        bail!("ended while it was measured");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_uses_both() {
        let meter = Meter::start(std::process::id()).unwrap();
        let mut sum = 0_u64;
        while meter.read().unwrap().cpu.is_zero() {
            sum = std::hint::black_box(sum + 1);
        }
        let used = meter.read().unwrap();
        assert!(used.cores > 0.0 && used.memory > 100_000.0, "{used:?}");
    }
}
