//! The `tapedeck` program.

use std::process::ExitCode;

fn main() -> ExitCode {
    tapedeck::cli::main()
}
