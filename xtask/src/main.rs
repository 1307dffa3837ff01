//! The command line of the project's own tasks: `cargo xtask …`, `cargo demo`, `cargo verify`.

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Set-up, plugin builds, local stack, demo and checks.
#[derive(Parser)]
#[command(name = "xtask", bin_name = "cargo xtask")]
struct Arguments {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Prints the folder that holds what was fetched and the local stack's data.
    Home,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let outcome: anyhow::Result<()> = match arguments.task {
        Task::Home => {
            println!("{}", xtask::home::home().display());
            Ok(())
        }
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error:#}");
            ExitCode::FAILURE
        }
    }
}
