//! What a process uses, and since when it runs, from /proc.

use std::time::Duration;

/// Memory and processor time of a process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Usage {
    /// Resident memory, bytes.
    pub memory: u64,
    /// Processor time since its start, in user and kernel mode, all threads.
    pub cpu: Duration,
}

/// What the process uses now, or none if it is gone.
pub fn usage(pid: u32) -> Option<Usage> {
    let fields = stat(pid)?;
    // Fields 14 and 15 of proc(5), counted from 3 after the name; ticks are 100 a second on every Linux.
    let ticks = fields.get(11)?.parse::<u64>().ok()? + fields.get(12)?.parse::<u64>().ok()?;
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let resident = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kilobytes: u64 = resident.split_whitespace().next()?.parse().ok()?;
    Some(Usage { memory: kilobytes * 1024, cpu: Duration::from_millis(ticks * 10) })
}

/// When the process started, in ticks since boot: with the pid it names one process for as long as the machine is up.
/// None if it is gone, or a zombie.
pub(crate) fn started(pid: u32) -> Option<u64> {
    let fields = stat(pid)?;
    if fields.first().is_some_and(|state| state == "Z") {
        return None;
    }
    fields.get(19)?.parse().ok()
}

fn stat(pid: u32) -> Option<Vec<String>> {
    let text = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name is in parentheses and may hold anything, so count from the last one.
    let (_, rest) = text.rsplit_once(')')?;
    Some(rest.split_whitespace().map(str::to_owned).collect())
}

#[cfg(all(test, target_os = "linux"))]
mod tests {

    use super::*;

    #[test]
    fn this_process_uses_memory_and_has_started() {
        let usage = usage(std::process::id()).unwrap();
        assert!(usage.memory > 100_000, "{usage:?}");
        assert!(started(std::process::id()).unwrap() > 0);
        assert_eq!(started(u32::MAX), None);
    }
}
