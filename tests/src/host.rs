//! The host as a process: `tapedeck run`, watched from outside as an operator would.

use std::fs::File;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use ureq::Agent;

use crate::{programs, wait};

/// How long it may take to be ready: many may start at once on few cores.
pub const READY: Duration = Duration::from_secs(60);

/// How long it may take to end: twice what it allows itself by default.
const END: Duration = Duration::from_secs(40);

/// A running host. Killed when it is dropped, and with the thread that started it.
#[derive(Debug)]
pub struct Host {
    child: Child,
    spawned: Instant,
    log: PathBuf,
    address: String,
    agent: Agent,
}

impl Host {
    /// Starts it; `address` is where its HTTP interface listens. Its log goes to `log`.
    ///
    /// # Errors
    /// It cannot be built or started.
    pub fn start(config: &Path, log: &Path, address: &str) -> Result<Self> {
        let output = File::create(log)?;
        let mut command = Command::new(programs::tapedeck()?);
        command.arg("run").arg("--config").arg(config);
        command.env_remove("TAPEDECK_LOG").stdin(Stdio::null()).stdout(output.try_clone()?).stderr(output);
        #[cfg(target_os = "linux")]
        // SAFETY: only an async-signal-safe system call between fork and exec.
        unsafe {
            command.pre_exec(|| Ok(nix::sys::prctl::set_pdeathsig(Signal::SIGKILL)?));
        }
        let spawned = Instant::now();
        let child = command.spawn().context("tapedeck cannot be started")?;
        let timeout = Some(Duration::from_secs(5));
        let agent = Agent::config_builder().http_status_as_error(false).timeout_global(timeout).build().new_agent();
        Ok(Self { child, spawned, log: log.to_path_buf(), address: address.to_owned(), agent })
    }

    /// Waits until `/ready` says yes.
    ///
    /// # Errors
    /// It ended, or was not ready in time; with its log.
    pub fn wait_ready(&mut self) -> Result<()> {
        self.time_to_ready(Duration::from_millis(50)).map(drop)
    }

    /// Waits until `/ready` says yes, with such a pause between two looks. How long both took since the process was spawned:
    /// until it answered at all, its plugins being loaded, and until it was ready.
    ///
    /// # Errors
    /// As [`Host::wait_ready`].
    pub fn time_to_ready(&mut self, pause: Duration) -> Result<(Duration, Duration)> {
        let deadline = Instant::now() + READY;
        let mut last = String::new();
        let mut answered = None;
        while Instant::now() < deadline {
            let answer = self.get("/ready");
            let since = self.spawned.elapsed();
            if answer.is_ok() {
                answered.get_or_insert(since);
            }
            match answer {
                Ok((200, _)) => return Ok((answered.unwrap_or(since), since)),
                Ok((_, text)) => last = text,
                Err(error) => last = format!("{error:#}"),
            }
            if let Some(status) = self.child.try_wait()? {
                bail!("the host ended with {status}:\n{}", self.log());
            }
            std::thread::sleep(pause);
        }
        bail!("the host is not ready: {last}\n{}", self.log())
    }

    /// Status and body of a page.
    ///
    /// # Errors
    /// It does not answer.
    pub fn get(&self, path: &str) -> Result<(u16, String)> {
        let answer = self.agent.get(format!("http://{}{path}", self.address)).call()?;
        let status = answer.status().as_u16();
        Ok((status, answer.into_body().into_with_config().limit(u64::MAX).read_to_string()?))
    }

    /// A figure: the sum over all lines of `/metrics` with this name, of this exchange.
    ///
    /// # Errors
    /// It does not answer, or has no such figure.
    pub fn metric(&self, name: &str, exchange: &str) -> Result<u64> {
        let (_, text) = self.get("/metrics")?;
        let label = format!("exchange=\"{exchange}\"");
        let lines = text.lines().filter(|line| line.starts_with(&format!("{name}{{")) && line.contains(&label));
        let values: Vec<u64> = lines
            .map(|line| line.rsplit(' ').next().and_then(|value| value.parse().ok()).context("a figure is no number"))
            .collect::<Result<_>>()?;
        if values.is_empty() {
            bail!("no figure {name} of {exchange} in:\n{text}");
        }
        Ok(values.iter().sum())
    }

    /// Waits until the host has handed so many trades of an exchange to Kafka's producer.
    ///
    /// # Errors
    /// It has not in time; with its log.
    pub fn wait_for_trades(&self, exchange: &str, trades: u64, patience: Duration) -> Result<()> {
        let what = format!("{trades} trades of {exchange}");
        let waited =
            wait::until_true(&what, patience, || Ok(self.metric("tapedeck_trades_total", exchange)? >= trades));
        waited.with_context(|| {
            let had = self.metric("tapedeck_trades_total", exchange);
            format!("the host had {had:?}; its log:\n{}", self.log())
        })
    }

    /// What it has logged.
    pub fn log(&self) -> String {
        std::fs::read(&self.log).map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).unwrap_or_default()
    }

    /// Waits until its log holds this text.
    ///
    /// # Errors
    /// It does not in time; with the log.
    pub fn wait_for_log(&self, text: &str, patience: Duration) -> Result<()> {
        wait::until_true(text, patience, || Ok(self.log().contains(text)))
            .with_context(|| format!("the log:\n{}", self.log()))
    }

    /// How it ended, if it has.
    ///
    /// # Errors
    /// The system does not say.
    pub fn ended(&mut self) -> Result<Option<ExitStatus>> {
        Ok(self.child.try_wait()?)
    }

    /// Process id.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// SIGTERM, without waiting.
    ///
    /// # Errors
    /// It has ended already.
    pub fn tell_to_stop(&self) -> Result<()> {
        kill(Pid::from_raw(i32::try_from(self.child.id())?), Signal::SIGTERM).context("the host cannot be told to stop")
    }

    /// SIGTERM, and waits for the end.
    ///
    /// # Errors
    /// It does not end; with its log.
    pub fn stop(&mut self) -> Result<ExitStatus> {
        self.tell_to_stop()?;
        self.wait_for_end()
    }

    /// SIGTERM, and waits for the end, which must be a good one: everything accepted is in Kafka.
    ///
    /// # Errors
    /// It does not end, or not with exit code 0; with its log.
    pub fn stop_well(&mut self) -> Result<()> {
        let status = self.stop()?;
        if !status.success() {
            bail!("the host ended with {status}:\n{}", self.log());
        }
        Ok(())
    }

    /// Waits for its end.
    ///
    /// # Errors
    /// It does not end; with its log.
    pub fn wait_for_end(&mut self) -> Result<ExitStatus> {
        let child = &mut self.child;
        let ended = wait::until("the end of the host", END, || Ok(child.try_wait()?));
        ended.with_context(|| format!("the log:\n{}", self.log()))
    }

    /// kill -9.
    ///
    /// # Errors
    /// It has ended already.
    pub fn kill9(&mut self) -> Result<()> {
        self.child.kill()?;
        self.child.wait()?;
        Ok(())
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        // Nobody is left to tell.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
