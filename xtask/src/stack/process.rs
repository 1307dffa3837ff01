//! A server as a child process: its log in a file, killed with its parent unless detached, and ended by pid.

use std::fs::File;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Mutex, OnceLock};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow, bail};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::interrupt;

/// How many lines of its log are shown when a server fails.
const TAIL_LINES: usize = 25;

/// A running server.
#[derive(Debug)]
pub struct Process {
    name: &'static str,
    log: PathBuf,
    child: Mutex<Child>,
    detached: bool,
}

impl Process {
    /// Starts it with stdout and stderr appended to `log`. `install` says how to get the program if it is missing.
    pub fn spawn(mut command: Command, name: &'static str, install: &str, log: &Path, detached: bool) -> Result<Self> {
        let output = File::options().create(true).append(true).open(log);
        let output = output.with_context(|| format!("the log {} cannot be opened", log.display()))?;
        let errors = output.try_clone().context("the log cannot be opened twice")?;
        command.stdin(Stdio::null()).stdout(output).stderr(errors);
        // A group of its own: Ctrl-C in the terminal is for us, who then end our children in the right order.
        command.process_group(0);
        let child = if detached { command.spawn() } else { spawn_bound(command) };
        let child = child.map_err(|error| match error.kind() {
            std::io::ErrorKind::NotFound => anyhow!("{name} cannot be started, its program was not found: {install}"),
            _ => anyhow!("{name} cannot be started: {error}"),
        })?;
        Ok(Self { name, log: log.to_path_buf(), child: Mutex::new(child), detached })
    }

    /// Its process id.
    pub fn pid(&self) -> u32 {
        self.lock().id()
    }

    /// How it ended, if it has.
    pub fn ended(&self) -> Option<ExitStatus> {
        self.lock().try_wait().ok().flatten()
    }

    /// kill -9, and waits until it is gone.
    pub fn kill9(&self) -> Result<()> {
        let mut child = self.lock();
        if child.try_wait()?.is_none() {
            child.kill().with_context(|| format!("{} cannot be killed", self.name))?;
        }
        child.wait().with_context(|| format!("{} was lost", self.name))?;
        Ok(())
    }

    /// SIGTERM, and waits for the end; after the deadline kill -9, and an error that says so.
    pub fn stop(&self, deadline: Duration) -> Result<()> {
        if self.ended().is_some() {
            return Ok(());
        }
        let pid = Pid::from_raw(i32::try_from(self.pid())?);
        kill(pid, Signal::SIGTERM).with_context(|| format!("{} cannot be told to stop", self.name))?;
        let until = Instant::now() + deadline;
        while Instant::now() < until {
            if self.ended().is_some() {
                return Ok(());
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        self.kill9()?;
        bail!(
            "{} did not stop within {} s and was killed; its log ends:\n{}",
            self.name,
            deadline.as_secs(),
            self.tail()
        )
    }

    /// Waits until `ready` says so. If the process ends before that, the deadline passes or somebody asks to end, it is killed
    /// (a detached one as well, since nobody would know of it) and the error shows the log's last lines.
    pub fn await_ready(&self, deadline: Duration, ready: impl Fn() -> bool) -> Result<()> {
        let outcome = self.wait_for(deadline, ready);
        if outcome.is_err() {
            self.kill9()?;
        }
        outcome
    }

    fn wait_for(&self, deadline: Duration, ready: impl Fn() -> bool) -> Result<()> {
        let until = Instant::now() + deadline;
        loop {
            if ready() {
                return Ok(());
            }
            if let Some(status) = self.ended() {
                let how = describe(status);
                bail!(
                    "{} ended before it was ready ({how}); its log {} ends:\n{}",
                    self.name,
                    self.log.display(),
                    self.tail()
                );
            }
            if interrupt::asked() {
                bail!("ended while {} was starting", self.name);
            }
            if Instant::now() >= until {
                let seconds = deadline.as_secs();
                bail!(
                    "{} was not ready after {seconds} s; its log {} ends:\n{}",
                    self.name,
                    self.log.display(),
                    self.tail()
                );
            }
            std::thread::sleep(Duration::from_millis(25));
        }
    }

    /// Fails, with the end of its log, if it has ended by itself.
    pub fn check(&self) -> Result<()> {
        let Some(status) = self.ended() else { return Ok(()) };
        bail!(
            "{} ended by itself ({}); its log {} ends:\n{}",
            self.name,
            describe(status),
            self.log.display(),
            self.tail()
        )
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Child> {
        // A panic while the lock was held leaves the child as it was.
        self.child.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    fn tail(&self) -> String {
        tail(&self.log)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if !self.detached {
            // Nobody is left to tell.
            let _ = self.kill9();
        }
    }
}

fn describe(status: ExitStatus) -> String {
    match (status.code(), status.signal()) {
        (Some(code), _) => format!("exit code {code}"),
        (None, Some(signal)) => format!("signal {signal}"),
        (None, None) => "unknown".to_owned(),
    }
}

/// The last lines of a log, indented.
pub(crate) fn tail(log: &Path) -> String {
    let text = std::fs::read(log).map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).unwrap_or_default();
    let lines: Vec<&str> = text.lines().collect();
    let last = &lines[lines.len().saturating_sub(TAIL_LINES)..];
    last.iter().map(|line| format!("  {line}")).collect::<Vec<_>>().join("\n")
}

type Order = (Command, Sender<std::io::Result<Child>>);

/// Spawns a child that the kernel kills when this process dies, however it dies.
///
/// The kernel ties this to the thread that forked, not to the process: so all such children are forked by one thread
/// that lives as long as the process.
fn spawn_bound(mut command: Command) -> std::io::Result<Child> {
    static ORDERS: OnceLock<Mutex<Sender<Order>>> = OnceLock::new();
    #[cfg(target_os = "linux")]
    {
        let parent = nix::unistd::getpid();
        // SAFETY: only async-signal-safe system calls between fork and exec.
        unsafe {
            command.pre_exec(move || {
                nix::sys::prctl::set_pdeathsig(Signal::SIGKILL)?;
                // The parent may have died before the line above.
                if nix::unistd::getppid() == parent { Ok(()) } else { Err(std::io::Error::other("the parent died")) }
            });
        }
    }
    let orders = ORDERS.get_or_init(|| {
        let (sender, receiver): (Sender<Order>, Receiver<Order>) = channel();
        std::thread::spawn(move || {
            for (mut command, answer) in receiver {
                // An asker that is gone drops the child's handle; the kernel still ends the child with us.
                let _ = answer.send(command.spawn());
            }
        });
        Mutex::new(sender)
    });
    let (answer, child) = channel();
    let gone = || std::io::Error::other("the thread that starts servers is gone");
    orders.lock().unwrap_or_else(std::sync::PoisonError::into_inner).send((command, answer)).map_err(|_| gone())?;
    child.recv().map_err(|_| gone())?
}
