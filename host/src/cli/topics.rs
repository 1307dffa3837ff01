//! `tapedeck topics`.

use std::process::ExitCode;

use clap::Subcommand;

use super::{ConfigArgs, Misconfigured, print};
use crate::check::exchanges;
use crate::sink::topics;

#[derive(Debug, Subcommand)]
pub(super) enum TopicsCommand {
    /// Make the topics that are missing; those that are there stay as they are
    Apply(ConfigArgs),
}

impl TopicsCommand {
    pub(super) async fn execute(self) -> anyhow::Result<ExitCode> {
        let Self::Apply(args) = self;
        let config = args.load()?;
        let exchanges = exchanges(&config).map_err(|findings| Misconfigured(findings.problems.join("\n")))?;
        let wanted = topics::topics(&config.kafka, exchanges.iter().map(String::as_str));
        let made = topics::ensure(&config.kafka, wanted.clone()).await?;
        let lines = wanted.iter().map(|topic| {
            let done = if made.contains(topic) { "made" } else { "there" };
            format!("{done:<6} {}\n", topic.name)
        });
        print(&lines.collect::<String>())?;
        Ok(ExitCode::SUCCESS)
    }
}
