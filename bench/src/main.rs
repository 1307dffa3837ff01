//! The command line of the suite; `cargo xtask bench` builds everything that it needs and starts it.

use std::process::ExitCode;

use anyhow::Result;
use clap::Parser;
use tapedeck_bench::{count, suite};
use xtask::bench::Options;
use xtask::interrupt;

/// Measures Tapedeck beside others, and writes docs/performance.md.
#[derive(Parser)]
#[command(name = "tapedeck-bench", bin_name = "cargo xtask bench")]
struct Arguments {
    #[command(flatten)]
    options: Options,
}

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<()> {
    // Not for people: what valgrind is given.
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let [count, case] = arguments.as_slice()
        && count == "count"
    {
        return count::run(case);
    }
    interrupt::listen()?;
    suite::run(&Arguments::parse().options)
}
