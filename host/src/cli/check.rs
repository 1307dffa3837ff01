//! `tapedeck check`.

use std::process::ExitCode;

use clap::Args;

use super::{ConfigArgs, MISCONFIGURED, print};

/// Looks at the configuration, the plugins and what they say to its markets, Kafka and its topics, ClickHouse and its
/// objects.
///
/// Prints a line for each thing that is well (`ok:`), worth knowing (`note:`) or wrong (`problem:`, with what to do), and
/// their number. Starts nothing and changes nothing. Exit code 0, or 64 if there is a problem.
#[derive(Args, Debug)]
pub(super) struct CheckArgs {
    #[command(flatten)]
    config: ConfigArgs,
}

impl CheckArgs {
    pub(super) async fn execute(self) -> anyhow::Result<ExitCode> {
        let findings = crate::check::check(&self.config.config).await;
        print(&findings.to_string())?;
        Ok(if findings.problems.is_empty() { ExitCode::SUCCESS } else { MISCONFIGURED.into() })
    }
}
