//! `tapedeck plugin`.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Subcommand};

use super::print;
use crate::plugin::{RecordedCheck, inspect};

#[derive(Debug, Subcommand)]
pub(super) enum PluginCommand {
    /// Say what a plugin file is: name, version, exchange, limits, options
    Inspect {
        /// Plugin, a `.wasm` file
        #[arg(value_name = "FILE")]
        file: PathBuf,
    },
    /// Run recorded messages through a plugin in its sandbox and compare the trades
    ///
    /// Compares symbol, price, quantity, side, time and id with what is expected. Prints each difference and, last,
    /// `N passed, M failed`. Exit code 1 if one failed.
    Check(CheckArgs),
}

#[derive(Args, Debug)]
pub(super) struct CheckArgs {
    /// Plugin, a `.wasm` file
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Messages, one JSON object a line: kind, raw, expected
    #[arg(long, value_name = "FILE.jsonl")]
    messages: PathBuf,
    /// An option of the plugin; may be repeated
    #[arg(long = "option", value_name = "NAME=VALUE", value_parser = parse_option)]
    options: Vec<(String, String)>,
    /// Show the reason of each refusal too
    #[arg(long, short)]
    verbose: bool,
}

impl PluginCommand {
    pub(super) fn execute(self) -> anyhow::Result<ExitCode> {
        match self {
            Self::Inspect { file } => {
                print(&inspect::inspect(&file)?)?;
                Ok(ExitCode::SUCCESS)
            }
            Self::Check(args) => {
                let check = RecordedCheck {
                    plugin: &args.file,
                    messages: &args.messages,
                    settings: args.options,
                    verbose: args.verbose,
                };
                let tally = check.run(&mut std::io::stdout().lock())?;
                Ok(if tally.failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
            }
        }
    }
}

fn parse_option(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("write NAME=VALUE, for example stream=aggTrade")?;
    Ok((name.to_owned(), value.to_owned()))
}
