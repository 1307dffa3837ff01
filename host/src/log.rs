//! Structured logs, on standard error: lines for eyes, or one JSON object each.
//!
//! Texts of plugins and exchanges are escaped and bounded by who logs them.

use std::io::IsTerminal as _;

use anyhow::Context as _;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

use crate::config::{LogConfig, LogFormat, check_log_level};

#[cfg(test)]
mod heard;
#[cfg(test)]
pub(crate) use heard::Heard;

/// The environment variable that goes before the configuration's `log.level`.
pub const LEVEL_VARIABLE: &str = "TAPEDECK_LOG";

/// Logs from now on, as the configuration and the environment say.
///
/// # Errors
/// The environment variable holds no level; or something logs already.
pub fn init(config: &LogConfig) -> anyhow::Result<()> {
    let level = level_from_environment()?.unwrap_or_else(|| config.level.clone());
    start(config.format, &level)
}

/// Logs only if the environment asks for it: for commands whose output is their answer.
///
/// # Errors
/// As [`init`].
pub fn init_quiet() -> anyhow::Result<()> {
    level_from_environment()?.map_or(Ok(()), |level| start(LogFormat::Human, &level))
}

fn level_from_environment() -> anyhow::Result<Option<String>> {
    match std::env::var(LEVEL_VARIABLE) {
        Ok(level) if level.trim().is_empty() => Ok(None),
        Ok(level) => match check_log_level(&level) {
            Ok(()) => Ok(Some(level)),
            Err(message) => anyhow::bail!("the environment variable {LEVEL_VARIABLE}: {message}"),
        },
        Err(std::env::VarError::NotPresent) => Ok(None),
        Err(error) => Err(error).context(LEVEL_VARIABLE),
    }
}

fn start(format: LogFormat, level: &str) -> anyhow::Result<()> {
    let filter = EnvFilter::try_new(level).with_context(|| format!("\"{level}\" is no level of log"))?;
    let registry = tracing_subscriber::registry().with(filter);
    let started = match format {
        LogFormat::Human => {
            let colours = std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none();
            registry.with(fmt::layer().with_writer(std::io::stderr).with_ansi(colours)).try_init()
        }
        LogFormat::Json => {
            let lines = fmt::layer().json().flatten_event(true).with_span_list(false).with_writer(std::io::stderr);
            registry.with(lines).try_init()
        }
    };
    started.context("the log cannot be started")
}
