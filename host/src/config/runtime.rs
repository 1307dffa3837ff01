//! The sections about the host itself: `[plugins]`, `[http]`, `[log]`, `[limits]`, `[reconnect]`.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use tracing_subscriber::EnvFilter;

use super::address::listen;
use super::nearest::did_you_mean;
use super::section::Section;

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
    /// Age at which a connection is to be gone, where the exchange allows more. Default: what the exchange allows.
    pub lifetime: Option<Duration>,
}

impl PluginsConfig {
    pub(super) fn read(mut section: Section<'_, '_>) -> Self {
        let folder = section.text("folder", "\"target/plugins\"").map_or("target/plugins", |found| found.value);
        let cache = section.text("cache", "\".tapedeck/cache\"").map_or(".tapedeck/cache", |found| found.value);
        let config = Self {
            folder: folder.into(),
            cache: cache.into(),
            memory_bytes: u64::from(section.number("memory_mb", 64, 2..=4096)) << 20,
            time: Duration::from_millis(section.number("time_ms", 1000, 10..=60_000).into()),
        };
        section.finish();
        config
    }
}

impl HttpConfig {
    pub(super) fn read(mut section: Section<'_, '_>) -> Self {
        let mut config = Self { listen: SocketAddr::from(([127, 0, 0, 1], 9464)) };
        if let Some(found) = section.text("listen", "\"127.0.0.1:9464\"") {
            match listen(found.value) {
                Ok(address) => config.listen = address,
                Err(message) => section.report(&found.place, "listen", &message),
            }
        }
        section.finish();
        config
    }
}

impl LogConfig {
    pub(super) fn read(mut section: Section<'_, '_>) -> Self {
        let formats = [("human", LogFormat::Human), ("json", LogFormat::Json)];
        let format = section.choice("format", &formats).unwrap_or(LogFormat::Human);
        let mut level = "info".to_owned();
        if let Some(found) = section.text("level", "\"info\"") {
            match check_log_level(found.value) {
                Ok(()) => found.value.clone_into(&mut level),
                Err(message) => section.report(&found.place, "level", &message),
            }
        }
        section.finish();
        Self { format, level }
    }
}

/// Checks a level or directives, as `log.level` and `TAPEDECK_LOG` take them.
///
/// # Errors
/// What is wrong with it.
pub fn check_log_level(text: &str) -> Result<(), String> {
    const LEVELS: [&str; 6] = ["error", "warn", "info", "debug", "trace", "off"];
    // To the filter a misspelt level is the name of a module, all of whose lines it would let through.
    let bare = text
        .split(',')
        .map(str::trim)
        .find(|part| !part.contains(['=', '[']) && !LEVELS.iter().any(|level| level.eq_ignore_ascii_case(part)));
    if let Some(word) = bare {
        let near = did_you_mean(word, LEVELS);
        return Err(format!(
            "\"{}\" is none of the levels error, warn, info, debug, trace, off{near}",
            word.escape_debug()
        ));
    }
    EnvFilter::try_new(text).map(|_| ()).map_err(|error| {
        format!("\"{}\" is not understood ({error}); write a level or \"info,tapedeck=debug\"", text.escape_debug())
    })
}

impl LimitsConfig {
    pub(super) fn read(mut section: Section<'_, '_>) -> Self {
        // A frame must fit into a dead letter, 32 MiB with its headers.
        let frame_mb = section.number("frame_mb", 16, 1..=31);
        let batch_frames = section.number("batch_frames", 256, 1..=4096);
        let config = Self {
            frame_bytes: usize::try_from(frame_mb << 20).unwrap_or(usize::MAX),
            drain: Duration::from_secs(section.number("drain_seconds", 20, 1..=3600).into()),
            batch_frames: usize::try_from(batch_frames).unwrap_or(usize::MAX),
        };
        section.finish();
        config
    }
}

impl ReconnectConfig {
    pub(super) fn read(mut section: Section<'_, '_>) -> Self {
        let base = section.number("base_ms", 250, 1..=60_000);
        let cap = section.number("cap_ms", 30_000, 1..=3_600_000);
        if cap < base {
            let message = format!("{cap} is less than base_ms, {base}; the cap is the longest pause");
            section.report(&section.place_of("cap_ms"), "cap_ms", &message);
        }
        let lifetime = section.optional_number("lifetime_seconds", 43_200, 1..=31_536_000);
        section.finish();
        Self {
            base: Duration::from_millis(base.into()),
            cap: Duration::from_millis(cap.into()),
            lifetime: lifetime.map(|seconds| Duration::from_secs(seconds.into())),
        }
    }
}
