//! The command line of the suite; `cargo xtask bench` builds everything that it needs and starts it.

use std::process::ExitCode;

use clap::Parser;
use tapedeck_bench::suite;
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
    let arguments = Arguments::parse();
    match interrupt::listen().and_then(|()| suite::run(&arguments.options)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error:#}");
            ExitCode::FAILURE
        }
    }
}
