//! What a source of trades does as a process: it waits to be told, sends, says what it sent, and ends with its parent.

use std::io::{self, BufRead, Write};
use std::path::Path;
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result};

use super::frames::Sent;
use super::{Event, GO, LIFETIME};
use crate::moment::Moment;

/// The lines on stdin.
pub struct Orders(Receiver<()>);

impl Orders {
    /// Listens. From now on the process ends when stdin is closed, and after [`LIFETIME`] at the latest.
    #[must_use]
    pub fn listen() -> Self {
        let (sender, receiver) = channel();
        thread::spawn(move || {
            for line in io::stdin().lock().lines().map_while(Result::ok) {
                if line.trim() == GO && sender.send(()).is_err() {
                    break;
                }
            }
            std::process::exit(0);
        });
        thread::spawn(|| {
            thread::sleep(LIFETIME);
            eprintln!("ended after {} s", LIFETIME.as_secs());
            std::process::exit(1);
        });
        Self(receiver)
    }

    /// Waits for the order to begin, and meanwhile calls `each_second` every second.
    ///
    /// # Errors
    /// Whatever `each_second` fails with.
    pub fn wait(&self, mut each_second: impl FnMut() -> Result<()>) -> Result<()> {
        loop {
            match self.0.recv_timeout(Duration::from_secs(1)) {
                Ok(()) => return Ok(()),
                Err(RecvTimeoutError::Timeout) => each_second()?,
                // The thread that listens ends the process.
                Err(RecvTimeoutError::Disconnected) => thread::park(),
            }
        }
    }
}

/// Says what was sent, once the times are in their file.
///
/// # Errors
/// The file cannot be written.
pub fn report(sent: &Sent, times: Option<&Path>) -> Result<()> {
    if let Some(file) = times {
        let bytes: Vec<u8> = sent.times.iter().flat_map(|time| time.0.to_le_bytes()).collect();
        std::fs::write(file, bytes).with_context(|| format!("{} cannot be written", file.display()))?;
    }
    let behind = u64::try_from(sent.behind.as_nanos()).unwrap_or(u64::MAX);
    Event::Sent { trades: sent.trades, began: sent.began, ended: sent.ended, behind }.tell();
    io::stdout().flush()?;
    Ok(())
}

/// The times that a source left in a file.
///
/// # Errors
/// It cannot be read.
pub fn read_times(file: &Path) -> Result<Vec<Moment>> {
    let bytes = std::fs::read(file).with_context(|| format!("{} cannot be read", file.display()))?;
    let (times, _) = bytes.as_chunks::<8>();
    Ok(times.iter().map(|time| Moment(u64::from_le_bytes(*time))).collect())
}
