//! Other libraries on the same frames: `parse LIBRARY MARKETS FRAMES SECONDS`, where FRAMES has a Binance combined-stream frame a
//! line.

use std::error::Error;
use std::hint::black_box;
use std::process::ExitCode;

mod barter;
mod crypto_msg;
#[path = "../../stopwatch.rs"]
mod stopwatch;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let done = match arguments.as_slice() {
        [library, markets, frames, seconds] => run(library, markets, frames, seconds),
        _ => Err("use `parse LIBRARY MARKETS FRAMES SECONDS`".into()),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn run(library: &str, markets: &str, frames: &str, seconds: &str) -> Result<(), Box<dyn Error>> {
    let text = std::fs::read_to_string(frames)?;
    let frames: Vec<&str> = text.lines().collect();
    let mut pass: Box<dyn FnMut() -> Result<usize, Box<dyn Error>>> = match library {
        "barter-data" => barter::pass(markets, &frames)?,
        "crypto-msg-parser" => crypto_msg::pass(&frames)?,
        _ => return Err(format!("there is no library {library}").into()),
    };
    let trades = pass()?;
    if trades != frames.len() {
        return Err(format!("{} frames gave {trades} trades", frames.len()).into());
    }
    stopwatch::measure(seconds.parse()?, || black_box(pass()).map_or(0, |trades| trades as u64));
    Ok(())
}
