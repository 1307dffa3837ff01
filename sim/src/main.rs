//! `tapedeck-sim`: the simulator as a process.

use std::fs::File;
use std::io::{BufWriter, IsTerminal, Write};
use std::path::Path;
use std::process::ExitCode;

use anyhow::Context;
use clap::Parser;
use tapedeck_sim::command_line::Arguments;
use tapedeck_sim::{Simulator, SimulatorOptions};
use tokio::signal::unix::{SignalKind, signal};

/// The exit code for flags that cannot be used.
const BAD_USAGE: u8 = 64;

fn main() -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => {
            let _ = error.print();
            return if error.use_stderr() { ExitCode::from(BAD_USAGE) } else { ExitCode::SUCCESS };
        }
    };
    let options = match arguments.options() {
        Ok(options) => options,
        Err(reason) => {
            eprintln!("error: {reason}");
            return ExitCode::from(BAD_USAGE);
        }
    };
    let filter = tracing_subscriber::EnvFilter::try_from_env("TAPEDECK_LOG").unwrap_or_else(|_| "warn".into());
    let color = std::io::stderr().is_terminal();
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).with_ansi(color).init();
    match run(&arguments, options) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

#[tokio::main]
async fn run(arguments: &Arguments, options: SimulatorOptions) -> anyhow::Result<()> {
    let mut terminated = signal(SignalKind::terminate()).context("cannot listen for SIGTERM")?;
    let exchange = options.exchange;
    let simulator = Simulator::start(options).await?;
    let (ws, rest) = (simulator.ws_url(), simulator.rest_url());
    println!(r#"{{"exchange":"{exchange}","ws":"{ws}","rest":"{rest}"}}"#);
    std::io::stdout().flush().context("cannot write to stdout")?;
    let mut written = false;
    loop {
        tokio::select! {
            _ = terminated.recv() => break,
            ended = tokio::signal::ctrl_c() => { ended.context("cannot listen for Ctrl-C")?; break }
            () = simulator.wait_until_finished(), if !written => {
                write_truth(&simulator, arguments.truth.as_deref())?;
                written = true;
                if arguments.exit_when_finished {
                    break;
                }
            }
        }
    }
    // Publishing ends first, so that the file holds all that was published.
    simulator.stop().await;
    if written { Ok(()) } else { write_truth(&simulator, arguments.truth.as_deref()) }
}

fn write_truth(simulator: &Simulator, file: Option<&Path>) -> anyhow::Result<()> {
    let Some(file) = file else { return Ok(()) };
    // Never half a file under the name that others wait for.
    let partial = file.with_extension("csv.partial");
    let place = || format!("cannot write the truth to {}", file.display());
    let mut out = BufWriter::with_capacity(1 << 20, File::create(&partial).with_context(place)?);
    simulator.write_truth(&mut out).with_context(place)?;
    out.flush().with_context(place)?;
    std::fs::rename(&partial, file).with_context(place)
}
