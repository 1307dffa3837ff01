//! Processor time of a process and of its threads, and the most memory that it had.

use std::collections::BTreeMap;
use std::fs;
use std::time::Duration;

use anyhow::{Context, Result};
use nix::time::clock_getcpuclockid;
use nix::unistd::Pid;

/// Processor time since a process began.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cpu {
    /// Of all threads, also of those that have ended.
    pub all: Duration,
    /// Of the threads that run, added up by their names.
    pub threads: BTreeMap<String, Duration>,
}

impl Cpu {
    /// That of a process.
    ///
    /// # Errors
    /// It is gone.
    pub fn of(pid: u32) -> Result<Self> {
        let gone = || format!("process {pid} is gone");
        let clock = clock_getcpuclockid(Pid::from_raw(i32::try_from(pid)?)).with_context(gone)?;
        let all = Duration::from(clock.now().with_context(gone)?);
        let mut threads: BTreeMap<String, Duration> = BTreeMap::new();
        for thread in fs::read_dir(format!("/proc/{pid}/task")).with_context(gone)?.flatten() {
            // One that ends just now is left out.
            let Ok(name) = fs::read_to_string(thread.path().join("comm")) else { continue };
            let Ok(times) = fs::read_to_string(thread.path().join("schedstat")) else { continue };
            let time = times.split_whitespace().next().and_then(|time| time.parse().ok()).unwrap_or(0);
            *threads.entry(name.trim().to_owned()).or_default() += Duration::from_nanos(time);
        }
        Ok(Self { all, threads })
    }

    /// What was used since an earlier look.
    #[must_use]
    pub fn since(&self, earlier: &Self) -> Self {
        let used = |(name, time): (&String, &Duration)| {
            let before = earlier.threads.get(name).copied().unwrap_or_default();
            (name.clone(), time.saturating_sub(before))
        };
        Self { all: self.all.saturating_sub(earlier.all), threads: self.threads.iter().map(used).collect() }
    }
}

/// The most resident memory that a process had so far, bytes; none if it is gone.
#[must_use]
pub fn peak_memory(pid: u32) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    Some(peak.split_whitespace().next()?.parse::<u64>().ok()? * 1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_uses_both() {
        let before = Cpu::of(std::process::id()).unwrap();
        let mut sum = 0_u64;
        while Cpu::of(std::process::id()).unwrap().all <= before.all {
            sum = std::hint::black_box(sum + 1);
        }
        let used = Cpu::of(std::process::id()).unwrap().since(&before);
        assert!(used.all > Duration::ZERO && !used.threads.is_empty(), "{used:?}");
        assert!(peak_memory(std::process::id()).unwrap() > 100_000);
    }
}
