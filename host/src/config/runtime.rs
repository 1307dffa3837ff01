//! The sections about the host itself: `[plugins]`, `[http]`, `[log]`, `[limits]`, `[reconnect]`.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

/// `[plugins]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PluginsConfig {
    /// Folder with the `.wasm` files; a relative one counts from the working directory. Default `"target/plugins"`.
    pub folder: PathBuf,
    /// Folder for compiled plugins; made if it is missing. Default `".tapedeck/cache"`.
    pub cache: PathBuf,
    /// Memory of each instance of a plugin, in bytes. Default 64 MiB.
    pub memory_bytes: u64,
    /// Time of each call into a plugin. Default 1 s.
    pub time: Duration,
}

/// `[http]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HttpConfig {
    /// Address of `/metrics`, `/health` and `/ready`. Default `"127.0.0.1:9464"`.
    pub listen: SocketAddr,
}

/// `[log]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogConfig {
    /// Layout of a line. Default `"human"`.
    pub format: LogFormat,
    /// What is logged, a level or directives such as `"info,tapedeck=debug"`; the environment variable `TAPEDECK_LOG`
    /// goes before it. Default `"info"`.
    pub level: String,
}

/// Layout of a line of log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    /// For eyes.
    Human,
    /// One JSON object a line.
    Json,
}

/// `[limits]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LimitsConfig {
    /// Longest frame that is read, in bytes; a longer one ends its connection. Default 16 MiB.
    pub frame_bytes: usize,
    /// How long a shutdown may take to deliver what was accepted. Default 20 s.
    pub drain: Duration,
    /// Most frames that a plugin decodes in one call. Default 256.
    pub batch_frames: usize,
}

/// `[reconnect]`. The n-th attempt waits for a random time between 0 and `base × 2ⁿ`, at most `cap`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReconnectConfig {
    /// Longest pause before the first attempt. Default 250 ms.
    pub base: Duration,
    /// Longest pause before any attempt. Default 30 s.
    pub cap: Duration,
}
