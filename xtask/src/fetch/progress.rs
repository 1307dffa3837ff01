//! Progress of the fetches: bars in a terminal, plain lines elsewhere.

use std::io::IsTerminal;
use std::path::Path;
use std::time::{Duration, Instant};

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};

/// The place where all fetches of this run show how far they are.
pub(crate) struct Board {
    bars: Option<MultiProgress>,
}

/// One fetch's line. Ends when dropped.
pub(crate) struct Line {
    what: String,
    bar: Option<ProgressBar>,
    started: Instant,
}

/// How progress is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Show {
    /// Bars, if stderr is a terminal.
    Bars,
    /// Lines, because something else draws on the terminal at the same time.
    Lines,
}

impl Board {
    pub(crate) fn new(show: Show) -> Self {
        let bars = show == Show::Bars && std::io::stderr().is_terminal();
        Self { bars: bars.then(MultiProgress::new) }
    }

    /// Opens a line for something of about `bytes` bytes.
    pub(crate) fn line(&self, what: &str, bytes: u64) -> Line {
        let bar = self.bars.as_ref().map(|bars| {
            let bar = bars.add(ProgressBar::new(bytes));
            let style = ProgressStyle::with_template("{spinner} {msg:<44} {bar:28} {bytes:>10} of {total_bytes}");
            if let Ok(style) = style {
                bar.set_style(style);
            }
            bar.set_message(what.to_owned());
            bar.enable_steady_tick(Duration::from_millis(120));
            bar
        });
        if bar.is_none() {
            eprintln!("{what} ({} MB) …", bytes / 1_000_000);
        }
        Line { what: what.to_owned(), bar, started: Instant::now() }
    }
}

impl Line {
    /// Shows the size that a folder has grown to: the tools that download report no progress of their own.
    pub(crate) fn follow(&self, folder: &Path) {
        if let Some(bar) = &self.bar {
            bar.set_position(size(folder).min(bar.length().unwrap_or(u64::MAX)));
        }
    }

    /// Says what the line is at now.
    pub(crate) fn step(&self, step: &str) {
        match &self.bar {
            Some(bar) => bar.set_message(format!("{}: {step}", self.what)),
            None => eprintln!("{}: {step} …", self.what),
        }
    }

    /// Closes the line: all is in place.
    pub(crate) fn done(&self) {
        let seconds = self.started.elapsed().as_secs();
        match &self.bar {
            Some(bar) => bar.finish_with_message(format!("{}: done in {seconds} s", self.what)),
            None => eprintln!("{}: done in {seconds} s", self.what),
        }
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        if let Some(bar) = &self.bar
            && !bar.is_finished()
        {
            bar.abandon();
        }
    }
}

fn size(folder: &Path) -> u64 {
    let Ok(entries) = std::fs::read_dir(folder) else { return 0 };
    let sizes = entries.flatten().map(|entry| match entry.metadata() {
        Ok(metadata) if metadata.is_dir() => size(&entry.path()),
        Ok(metadata) => metadata.len(),
        Err(_) => 0,
    });
    sizes.sum()
}
