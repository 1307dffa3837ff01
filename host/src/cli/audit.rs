//! `tapedeck audit`.

use std::process::ExitCode;

use clap::Args;
use jiff::{SignedDuration, Timestamp};

use super::candles::parse_time;
use super::{ConfigArgs, Misconfigured, print};
use crate::audit::{AuditFormat, AuditSettings, AuditSource, audit};
use crate::check::exchanges;

#[derive(Args, Debug)]
#[command(after_help = "Examples:
  tapedeck audit --config tapedeck.toml
  tapedeck audit --from 2026-01-01 --to 2026-02-01 --format json --config tapedeck.toml
  tapedeck audit --from 2026-01-31 --to 2026-02-01 --mend --config tapedeck.toml")]
pub(super) struct AuditArgs {
    #[command(flatten)]
    config: ConfigArgs,
    /// First time, by the exchange's clock; whole days of UTC are compared [default: a day before --to]
    #[arg(long, value_name = "TIME", value_parser = parse_time)]
    from: Option<Timestamp>,
    /// End [default: now]
    #[arg(long, value_name = "TIME", value_parser = parse_time)]
    to: Option<Timestamp>,
    /// table or json
    #[arg(long, default_value = "table")]
    format: AuditFormat,
    /// Mark again what a mark that never came left behind, so that it is computed anew; then compare again
    #[arg(long)]
    mend: bool,
}

impl AuditArgs {
    pub(super) async fn execute(self) -> anyhow::Result<ExitCode> {
        let config = self.config.load()?;
        let file = self.config.config.display();
        let Some(clickhouse) = &config.clickhouse else {
            return Err(Misconfigured(format!("{file} has no section [clickhouse], and so nothing to audit")).into());
        };
        let exchanges = exchanges(&config).map_err(|findings| Misconfigured(findings.problems.join("\n")))?;
        let to = self.to.unwrap_or_else(Timestamp::now);
        let from = self.from.unwrap_or(to - SignedDuration::from_hours(24));
        if from >= to {
            return Err(Misconfigured(format!("--from {from} is not before --to {to}")).into());
        }
        let settings = AuditSettings {
            source: AuditSource {
                url: clickhouse.url.clone(),
                database: clickhouse.database.clone(),
                user: clickhouse.user.clone(),
                password: clickhouse.password.expose().to_owned(),
            },
            kafka: config.kafka.clone(),
            exchanges: exchanges.into_iter().collect(),
            from,
            to,
            silver_days: clickhouse.silver_days,
            mend: self.mend,
        };
        let report = audit(&settings).await?;
        print(&self.format.render(&report)?)?;
        Ok(if report.is_clean() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }
}
