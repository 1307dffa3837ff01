//! `tapedeck sql`.

use std::process::ExitCode;

use clap::Subcommand;

use super::{ConfigArgs, Misconfigured, print};
use crate::check::{exchanges, schema_settings, trade_ids};
use crate::config::Config;
use crate::schema::{self, SchemaSettings};

#[derive(Debug, Subcommand)]
pub(super) enum SqlCommand {
    /// Bring the database up to date: make what is missing, migrate what is old
    Apply(ConfigArgs),
    /// Say what `apply` would change; change nothing
    Plan(ConfigArgs),
    /// Say what is there, object by object; exit code 1 if something is missing, out of date or failing
    Status(ConfigArgs),
}

impl SqlCommand {
    pub(super) async fn execute(self) -> anyhow::Result<ExitCode> {
        let (Self::Apply(args) | Self::Plan(args) | Self::Status(args)) = &self;
        let config = args.load()?;
        let settings = settings(&config, args)?;
        match self {
            Self::Apply(_) => print(&schema::apply(&settings).await?.to_string())?,
            Self::Plan(_) => print(&schema::plan(&settings).await?.to_string())?,
            Self::Status(_) => {
                let status = schema::status(&settings).await?;
                print(&status.to_string())?;
                if !status.is_healthy() {
                    return Ok(ExitCode::FAILURE);
                }
            }
        }
        Ok(ExitCode::SUCCESS)
    }
}

fn settings(config: &Config, args: &ConfigArgs) -> Result<SchemaSettings, Misconfigured> {
    let Some(clickhouse) = &config.clickhouse else {
        let file = args.config.display();
        return Err(Misconfigured(format!(
            "{file} has no section [clickhouse]; add one, with url = \"http://127.0.0.1:8123\" or where your server is"
        )));
    };
    let exchanges = exchanges(config).map_err(|findings| Misconfigured(findings.problems.join("\n")))?;
    Ok(schema_settings(config, clickhouse, exchanges.into_iter().collect(), trade_ids(config)))
}
