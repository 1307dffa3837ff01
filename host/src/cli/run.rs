//! `tapedeck run`.

use std::process::ExitCode;

use clap::Args;
use tokio::runtime::Runtime;
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use super::{ConfigArgs, Misconfigured};
use crate::check::Feeds;
use crate::config::Config;
use crate::plugin::PluginFolder;
use crate::run::Prepared;
use crate::session::chain;
use crate::{check, log};

#[derive(Args, Debug)]
pub(super) struct RunArgs {
    #[command(flatten)]
    config: ConfigArgs,
}

impl RunArgs {
    /// Judges everything that can be judged before anything is opened; then runs.
    pub(super) fn execute(self, runtime: impl Fn() -> anyhow::Result<Runtime>) -> anyhow::Result<ExitCode> {
        let config = self.config.load()?;
        log::init(&config.log).map_err(|error| Misconfigured(format!("{error:#}")))?;
        let plugins = good_plugins(&config)?;
        runtime()?.block_on(async {
            let prepared = Prepared::new(config, &plugins).map_err(|error| Misconfigured(chain(error.as_ref())))?;
            let shutdown = CancellationToken::new();
            tokio::spawn(cancel_on_signal(shutdown.clone())?);
            prepared.run(shutdown).await
        })?;
        Ok(ExitCode::SUCCESS)
    }
}

/// The plugins, or what is to be corrected in the feeds.
fn good_plugins(config: &Config) -> Result<PluginFolder, Misconfigured> {
    let Feeds { findings, plugins, .. } = check::feeds(config);
    if findings.problems.is_empty() {
        return Ok(plugins);
    }
    let notes = findings.notes.iter().map(|note| format!("\nnote: {note}"));
    let count = findings.problems.len();
    let text = format!("{count} to correct in the feeds:\n{}", findings.problems.join("\n"));
    Err(Misconfigured(notes.fold(text, |text, note| text + &note)))
}

/// Signals are caught from here on, not only once the task is first run.
fn cancel_on_signal(shutdown: CancellationToken) -> std::io::Result<impl Future<Output = ()>> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    Ok(async move {
        for times in 0.. {
            let name = tokio::select! {
                _ = terminate.recv() => "SIGTERM",
                _ = interrupt.recv() => "SIGINT",
            };
            if times > 0 {
                warn!(signal = name, "stopping at once; records that Kafka has not acknowledged are lost");
                std::process::exit(1);
            }
            info!(signal = name, "stopping");
            shutdown.cancel();
        }
    })
}
