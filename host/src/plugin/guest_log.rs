//! The one thing that a plugin may ask of the host: a line of log, bounded in length and number.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::bindings::tapedeck::plugin::host::Host;
use super::bindings::tapedeck::plugin::types::Level;
use super::guest::GuestState;
use super::text::bounded_escaped;

/// The log of one instance.
pub(super) struct GuestLog {
    /// Name and version of the plugin.
    label: Arc<str>,
    /// Lines that are left in the current window.
    left: u32,
    window_start: Instant,
    dropped: u64,
    last_error: Option<String>,
}

impl GuestLog {
    /// The most bytes of a line; the rest is cut.
    const MAX_LINE: usize = 512;
    /// The most lines in a window; the others are counted and dropped.
    const LINES: u32 = 20;
    const WINDOW: Duration = Duration::from_secs(1);

    pub(super) fn new(label: Arc<str>) -> Self {
        Self { label, left: Self::LINES, window_start: Instant::now(), dropped: 0, last_error: None }
    }

    /// What was logged as an error during this call.
    pub(super) fn last_error(&self) -> Option<&str> {
        self.last_error.as_deref()
    }

    pub(super) fn start_call(&mut self) {
        self.last_error = None;
    }

    /// Says how many lines were dropped, once their window is over.
    pub(super) fn end_call(&mut self) {
        if self.dropped > 0 && self.window_start.elapsed() >= Self::WINDOW {
            self.report_dropped();
        }
    }

    fn report_dropped(&mut self) {
        tracing::warn!(plugin = %self.label, lines = self.dropped, "plugin logs too much; lines were dropped");
        self.dropped = 0;
    }

    fn write(&mut self, level: Level, message: &str) {
        let admitted = self.admit();
        if !admitted && !matches!(level, Level::Error) {
            return;
        }
        let line = bounded_escaped(message, Self::MAX_LINE);
        if admitted {
            let plugin = &*self.label;
            match level {
                Level::Debug => tracing::debug!(target: "tapedeck::plugin::log", plugin, "{line}"),
                Level::Info => tracing::info!(target: "tapedeck::plugin::log", plugin, "{line}"),
                Level::Warn => tracing::warn!(target: "tapedeck::plugin::log", plugin, "{line}"),
                Level::Error => tracing::error!(target: "tapedeck::plugin::log", plugin, "{line}"),
            }
        }
        if matches!(level, Level::Error) {
            self.last_error = Some(line);
        }
    }

    /// Whether another line fits into this window.
    fn admit(&mut self) -> bool {
        if self.left == 0 && self.window_start.elapsed() >= Self::WINDOW {
            if self.dropped > 0 {
                self.report_dropped();
            }
            self.left = Self::LINES;
        }
        if self.left == Self::LINES {
            self.window_start = Instant::now();
        }
        let admitted = self.left > 0;
        self.left = self.left.saturating_sub(1);
        self.dropped += u64::from(!admitted);
        admitted
    }
}

impl Drop for GuestLog {
    fn drop(&mut self) {
        if self.dropped > 0 {
            self.report_dropped();
        }
    }
}

impl super::bindings::tapedeck::plugin::types::Host for GuestState {}

impl Host for GuestState {
    fn log(&mut self, level: Level, message: String) {
        self.log.write(level, &message);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_beyond_the_window_are_counted_not_written() {
        let mut log = GuestLog::new("example 1.0.0".into());
        for line in 0..GuestLog::LINES + 5 {
            log.write(Level::Error, &format!("line {line}\n"));
        }
        assert_eq!(log.dropped, 5);
        // The words before a crash are kept all the same.
        assert_eq!(log.last_error(), Some("line 24\\u{a}"));
        log.start_call();
        assert_eq!(log.last_error(), None);
    }
}
