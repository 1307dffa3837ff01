//! A source of trades as a child process: the blaster, or a client that makes its own.

use std::fs::File;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use crate::load::{Event, GO};

/// A source. Killed when it is dropped; it also ends with this process, since its stdin does.
pub(super) struct Source {
    child: Child,
    stdin: ChildStdin,
    events: Receiver<Event>,
}

impl Source {
    /// Starts it, with stderr in a file.
    pub(super) fn start(mut command: Command, log: &Path) -> Result<Self> {
        let errors = File::create(log).with_context(|| format!("{} cannot be written", log.display()))?;
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(errors);
        let program = command.get_program().to_string_lossy().into_owned();
        let mut child = command.spawn().with_context(|| format!("{program} cannot be started"))?;
        let stdin = child.stdin.take().context("a child without stdin")?;
        let stdout = child.stdout.take().context("a child without stdout")?;
        let (sender, events) = channel();
        std::thread::spawn(move || {
            for line in BufReader::new(stdout).lines().map_while(Result::ok) {
                let Ok(event) = serde_json::from_str(&line) else { continue };
                if sender.send(event).is_err() {
                    break;
                }
            }
        });
        Ok(Self { child, stdin, events })
    }

    pub(super) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Lets it begin.
    pub(super) fn go(&mut self) -> Result<()> {
        writeln!(self.stdin, "{GO}").context("the source of trades is gone")?;
        Ok(self.stdin.flush()?)
    }

    /// The next event. While there is none, `alive` is asked whether all others still run.
    pub(super) fn event(&self, patience: Duration, alive: impl Fn() -> Result<()>) -> Result<Event> {
        let deadline = Instant::now() + patience;
        while Instant::now() < deadline {
            match self.events.recv_timeout(Duration::from_millis(100)) {
                Ok(event) => return Ok(event),
                Err(RecvTimeoutError::Timeout) => alive()?,
                Err(RecvTimeoutError::Disconnected) => {
                    alive()?;
                    bail!("the source of trades ended: its client left");
                }
            }
        }
        bail!("nothing was heard of the source of trades for {} s", patience.as_secs())
    }
}

impl Drop for Source {
    fn drop(&mut self) {
        // Nobody is left to tell.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
