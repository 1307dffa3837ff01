//! What processes use, and since when they run, from /proc.

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

/// What a process and all its descendants use now, with the processor time of those that have ended and were waited for; or
/// none if it is gone. Memory that they share counts once for each.
pub fn tree(root: u32) -> Option<Usage> {
    let mut all = usage(root)?;
    all.cpu += ended(root);
    let parents: Vec<(u32, u32)> = processes().collect();
    let mut family = vec![root];
    let mut next = 0;
    while let Some(&parent) = family.get(next) {
        family.extend(parents.iter().filter(|(_, of)| *of == parent).map(|(pid, _)| *pid));
        next += 1;
    }
    for pid in family.into_iter().skip(1) {
        // One that ends just now is counted by its parent at the next look.
        let Some(own) = usage(pid) else { continue };
        all.memory += own.memory;
        all.cpu += own.cpu + ended(pid);
    }
    Some(all)
}

/// All processes with their parents.
fn processes() -> impl Iterator<Item = (u32, u32)> {
    let entries = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    let pids = entries.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    pids.filter_map(|pid| Some((pid, stat(pid)?.get(1)?.parse().ok()?)))
}

/// Processor time of a process's children that have ended and were waited for: fields 16 and 17.
fn ended(pid: u32) -> Duration {
    let ticks =
        stat(pid).and_then(|fields| Some(fields.get(13)?.parse::<u64>().ok()? + fields.get(14)?.parse::<u64>().ok()?));
    Duration::from_millis(ticks.unwrap_or(0) * 10)
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

    #[test]
    fn a_child_counts_as_its_parent() {
        let mut child = std::process::Command::new("sh").args(["-c", "sleep 60 & wait"]).spawn().unwrap();
        let alone = || usage(child.id()).unwrap().memory;
        let deadline = std::time::Instant::now() + Duration::from_secs(20);
        while processes().filter(|(_, parent)| *parent == child.id()).count() == 0 {
            assert!(std::time::Instant::now() < deadline, "the shell has no child");
            std::thread::sleep(Duration::from_millis(10));
        }
        assert!(tree(child.id()).unwrap().memory > alone());
        let sleeper = processes().find(|(_, parent)| *parent == child.id()).map(|(pid, _)| pid);
        child.kill().unwrap();
        child.wait().unwrap();
        if let Some(pid) = sleeper {
            let _ = nix::sys::signal::kill(nix::unistd::Pid::from_raw(pid as i32), nix::sys::signal::Signal::SIGKILL);
        }
    }
}
