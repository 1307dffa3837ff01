//! The command line of the project's own tasks: `cargo xtask …`, `cargo demo`, `cargo verify`.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use xtask::stack::{detached, launcher};
use xtask::{bench, demo, fuzz, instructions, tidy, verify};

/// Set-up, plugin builds, local stack, demo and checks.
#[derive(Parser)]
#[command(name = "xtask", bin_name = "cargo xtask")]
struct Arguments {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Runs the whole pipeline on this machine against simulated exchanges, shows live candles, and audits them at the end.
    Demo(demo::Options),
    /// Checks everything: formatting, lints, tidiness, unit tests, plugins in the sandbox, the whole pipeline on real servers.
    Verify,
    /// Prints the folder that holds what was fetched and the local stack's data.
    Home,
    /// Kafka and ClickHouse on this machine: starts and stops them, says how they are.
    #[command(subcommand)]
    Stack(detached::Task),
    /// Checks what the project has agreed on and no compiler checks.
    Tidy,
    /// ClickHouse out of its library; what the stack starts.
    #[command(name = launcher::COMMAND, hide = true)]
    ClickhouseServer {
        #[arg(long)]
        library: PathBuf,
        #[arg(long)]
        config: PathBuf,
        #[arg(long)]
        path: PathBuf,
    },
    /// Fuzzes what reads foreign bytes, guided by coverage.
    Fuzz(fuzz::Options),
    /// Measures Tapedeck beside others, and writes docs/performance.md.
    Bench(bench::Options),
    /// Counts the instructions of fixed inputs, and compares them with those that are kept.
    Instructions(instructions::Options),
    /// Builds the plugins to components, or with --hostile the tests' misbehaving guests.
    Plugins(xtask::plugins::Options),
}

fn main() -> ExitCode {
    fuzz::compile_if_asked();
    let arguments = Arguments::parse();
    let outcome: anyhow::Result<()> = match arguments.task {
        Task::Demo(options) => demo::run(&options),
        Task::Home => {
            println!("{}", xtask::home::home().display());
            Ok(())
        }
        Task::Bench(options) => bench::run(&options),
        Task::Instructions(options) => instructions::run(&options),
        Task::Fuzz(options) => fuzz::run(&options),
        Task::Verify => verify::run(),
        Task::Tidy => tidy::run(),
        Task::Stack(task) => detached::run(&task),
        Task::ClickhouseServer { library, config, path } => launcher::serve(&library, &config, &path),
        Task::Plugins(options) => xtask::plugins::build(&options).map(drop),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error:#}");
            ExitCode::FAILURE
        }
    }
}
