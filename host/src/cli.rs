//! The command line: what is asked for, what is printed, and the exit code.
//!
//! 0: done. 1: it failed, or what was checked is not as it should be. 64: the command line or the configuration is wrong;
//! nothing was opened. Answers go to standard output, logs and errors to standard error.

use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context as _;
use clap::{Args, Parser, Subcommand};

use crate::config::Config;
use crate::session::chain;

mod audit;
mod candles;
mod check;
mod dead_letters;
mod plugin;
mod replay;
mod run;
mod sql;
mod topics;

/// The exit code for a command line or a configuration that is wrong.
pub const MISCONFIGURED: u8 = 64;

/// Exchange trade feeds to Kafka, and exact candles in ClickHouse. One sandboxed plugin an exchange.
#[derive(Debug, Parser)]
#[command(name = "tapedeck", version, after_help = HELP)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

const HELP: &str = "\
Examples:
  tapedeck check --config config/example.toml
  tapedeck sql apply --config config/example.toml
  tapedeck run --config config/example.toml
  tapedeck candles BTC/USDT --exchange NAME --interval 1m --config config/example.toml

Exit codes: 0 done; 1 failed, or not as it should be; 64 command line or configuration wrong.
TAPEDECK_CONFIG names the configuration where --config does not. TAPEDECK_LOG sets the level of log, for example info.";

#[derive(Debug, Subcommand)]
enum Command {
    /// Subscribe to the configured feeds and write their trades to Kafka, until SIGTERM or Ctrl-C
    ///
    /// Opens the sessions of every [[feed]], decodes their frames with the plugins, and produces trades to Kafka. Whatever
    /// can be judged before anything is opened is judged before: then the exit code is 64.
    ///
    /// SIGTERM or Ctrl-C stops reading and delivers what was accepted, for at most limits.drain_seconds; a second one
    /// stops at once.
    Run(run::RunArgs),
    /// Say everything that is wrong with a configuration, its plugins, Kafka and ClickHouse; start nothing
    ///
    /// Prints a line for each thing that is well (`ok:`), worth knowing (`note:`) or wrong (`problem:`, with what to do),
    /// and their number. Starts nothing and changes nothing. Exit code 0, or 64 if there is a problem.
    Check(check::CheckArgs),
    /// Make and look after the ClickHouse objects
    ///
    /// The objects are those of the database of [clickhouse], with bronze objects for each configured exchange. Any of
    /// these commands may be run at any time, any number of times.
    #[command(subcommand)]
    Sql(sql::SqlCommand),
    /// Make the Kafka topics
    ///
    /// With the partitions and replication of [kafka]. `tapedeck run` makes them too.
    #[command(subcommand)]
    Topics(topics::TopicsCommand),
    /// Print candles of a market
    ///
    /// From ClickHouse, oldest first, exact to the last digit. Times are UTC: 2026-01-31, 2026-01-31T09:30 or
    /// 2026-01-31T09:30:00Z. A minute without a trade has no candle.
    Candles(candles::CandlesArgs),
    /// Look at frames that could not be decoded, and decode them again
    ///
    /// A frame that a plugin refuses, or crashes on, is kept in Kafka with its exact bytes and the reason. These commands
    /// list such letters, show one, and decode them again with a plugin that takes them.
    #[command(subcommand)]
    DeadLetters(dead_letters::DeadLettersCommand),
    /// Decode a capture again, with any plugin; compare two plugins; send the trades to Kafka
    ///
    /// A capture is what the host keeps of raw frames in the folder of [capture]. Each batch is decoded as it was received,
    /// with a new instance of the plugin for each connection, and the markets and options of then.
    Replay(replay::ReplayArgs),
    /// Prove that nothing is lost, nothing is there twice, and every candle is right
    ///
    /// Compares trades with their ids, every candle of every interval with a recomputation from the trades, and Kafka's
    /// offsets with what ClickHouse holds. Prints what differs. Exit code 0 when nothing does, 1 otherwise. Changes nothing
    /// without --mend.
    Audit(audit::AuditArgs),
    /// Look at a plugin file, or try it on recorded messages
    ///
    /// For who writes plugins, or was given one. Needs no configuration.
    #[command(subcommand)]
    Plugin(plugin::PluginCommand),
}

/// Which configuration.
#[derive(Args, Debug)]
struct ConfigArgs {
    /// Configuration file, TOML
    #[arg(long, value_name = "FILE", env = "TAPEDECK_CONFIG")]
    config: PathBuf,
}

impl ConfigArgs {
    /// The valid configuration, or every problem of the file.
    fn load(&self) -> Result<Config, Misconfigured> {
        Config::load(&self.config).map_err(|errors| {
            let count = errors.problems.len();
            Misconfigured(format!("{} is not valid, {count} to correct:\n{errors}", self.config.display()))
        })
    }
}

/// The user has to correct the command line or the configuration: the exit code is 64.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct Misconfigured(String);

/// Does what the command line asks for.
pub fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            // Nobody is left to be told if this cannot be printed.
            let _ = error.print();
            return if error.use_stderr() { MISCONFIGURED.into() } else { ExitCode::SUCCESS };
        }
    };
    match cli.execute() {
        Ok(code) => code,
        Err(error) => {
            eprintln!("tapedeck: {}", chain(error.as_ref()));
            if error.is::<Misconfigured>() { MISCONFIGURED.into() } else { ExitCode::FAILURE }
        }
    }
}

impl Cli {
    fn execute(self) -> anyhow::Result<ExitCode> {
        if !matches!(self.command, Command::Run(_)) {
            crate::log::init_quiet().map_err(|error| Misconfigured(format!("{error:#}")))?;
        }
        let runtime = || tokio::runtime::Builder::new_multi_thread().enable_all().build().context("no threads");
        match self.command {
            Command::Run(args) => args.execute(runtime),
            Command::Check(args) => runtime()?.block_on(args.execute()),
            Command::Sql(command) => runtime()?.block_on(command.execute()),
            Command::Topics(command) => runtime()?.block_on(command.execute()),
            Command::Candles(args) => runtime()?.block_on(args.execute()),
            Command::DeadLetters(command) => runtime()?.block_on(command.execute()),
            Command::Replay(args) => runtime()?.block_on(args.execute()),
            Command::Audit(args) => runtime()?.block_on(args.execute()),
            Command::Plugin(command) => command.execute(),
        }
    }
}

/// Prints an answer. Who reads only its first lines (`| head`) makes no error of it.
fn print(text: &str) -> anyhow::Result<()> {
    let mut out = std::io::stdout().lock();
    let end = if text.ends_with('\n') || text.is_empty() { "" } else { "\n" };
    match write!(out, "{text}{end}").and_then(|()| out.flush()) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => Err(error).context("cannot print the answer"),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::Cli;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }
}
