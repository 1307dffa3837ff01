//! The plugins' own code without a sandbox, and beside it what `serde_json` needs for the same records.
//!
//! `decode WAY EXCHANGE MARKETS FRAMES BATCH SECONDS` measures one of them on a file of frames, one a line; `count CASE` runs a
//! fixed input once, for a tool that counts instructions.

use std::process::ExitCode;

mod count;
mod decode;
mod records;
#[path = "../../peers/stopwatch.rs"]
mod stopwatch;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let done = match arguments.as_slice() {
        ["decode", way, exchange, markets, frames, batch, seconds] => {
            decode::run(&decode::Task { way, exchange, markets, frames, batch, seconds })
        }
        ["count", case] => count::run(case),
        _ => Err("use `decode WAY EXCHANGE MARKETS FRAMES BATCH SECONDS` or `count CASE`".into()),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}
