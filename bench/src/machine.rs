//! The machine that figures belong to.

use std::fs;

use serde::{Deserialize, Serialize};

/// What a reader needs to know of a machine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Machine {
    /// Model of the processor.
    pub processor: String,
    /// How many cores this process may use.
    pub cores: usize,
    /// Memory, bytes.
    pub memory: u64,
    /// Name and version of the kernel.
    pub kernel: String,
}

impl Machine {
    /// This machine; "unknown" where it does not say.
    #[must_use]
    pub fn read() -> Self {
        let unknown = || "unknown".to_owned();
        let processor = field("/proc/cpuinfo", "model name");
        let memory = field("/proc/meminfo", "MemTotal").unwrap_or_default();
        let kilobytes: u64 = memory.split_whitespace().next().and_then(|number| number.parse().ok()).unwrap_or(0);
        let kernel = |what: &str| fs::read_to_string(format!("/proc/sys/kernel/{what}")).ok();
        let kernel = kernel("ostype").zip(kernel("osrelease"));
        Self {
            processor: processor.unwrap_or_else(unknown),
            cores: std::thread::available_parallelism().map_or(1, usize::from),
            memory: kilobytes * 1024,
            kernel: kernel.map_or_else(unknown, |(name, release)| format!("{} {}", name.trim(), release.trim())),
        }
    }
}

impl std::fmt::Display for Machine {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let gibibytes = self.memory as f64 / f64::from(1 << 30);
        let cores = if self.cores == 1 { "1 core".to_owned() } else { format!("{} cores", self.cores) };
        write!(formatter, "{cores} of {}, {gibibytes:.0} GiB of memory, {}", self.processor, self.kernel)
    }
}

fn field(file: &str, name: &str) -> Option<String> {
    let text = fs::read_to_string(file).ok()?;
    let line = text.lines().find(|line| line.starts_with(name))?;
    Some(line.split_once(':')?.1.trim().to_owned())
}
