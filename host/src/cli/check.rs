//! `tapedeck check`.

use std::process::ExitCode;

use clap::Args;

use super::{ConfigArgs, MISCONFIGURED, print};

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
