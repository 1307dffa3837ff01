//! `cargo xtask fuzz`: drives the fuzz targets by libFuzzer, guided by the coverage of our own crates.
//!
//! The stable compiler can do that: the marks that libFuzzer follows are a pass of LLVM. A wrapper around the compiler, which is
//! this program once more, adds it for the crates of the workspace alone, so that dependencies are not compiled again.

use std::ffi::OsString;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use clap::Args;

use crate::cargo;
use crate::demo::read_duration;
use crate::home::repository;

/// Set in the environment of the compiler's wrapper.
const WRAPPER: &str = "TAPEDECK_FUZZ_COMPILER";

/// Edge counters, the table that leads back from them, and what is compared with what.
const COVERAGE: [&str; 7] = [
    "-Cpasses=sancov-module",
    "-Cllvm-args=-sanitizer-coverage-level=4",
    "-Cllvm-args=-sanitizer-coverage-inline-8bit-counters",
    "-Cllvm-args=-sanitizer-coverage-pc-table",
    "-Cllvm-args=-sanitizer-coverage-trace-compares",
    "-Ccodegen-units=1",
    "-Copt-level=1",
];

/// What to fuzz.
#[derive(Debug, Args)]
pub struct Options {
    /// One target, a folder of fuzz/corpus; without it, all of them.
    target: Option<String>,
    /// How long to run each target, for example 60s or 5m.
    #[arg(long = "for", value_name = "TIME", default_value = "60s", value_parser = read_duration)]
    duration: Duration,
}

/// Becomes the compiler if this process was started in its place; returns if not.
pub fn compile_if_asked() {
    if std::env::var_os(WRAPPER).is_none() {
        return;
    }
    let mut arguments = std::env::args_os().skip(1);
    let Some(compiler) = arguments.next() else { return };
    let arguments: Vec<OsString> = arguments.collect();
    let compiles = arguments.iter().any(|argument| argument == "--crate-name");
    let mut command = Command::new(&compiler);
    command.args(&arguments).args(COVERAGE.iter().filter(|_| compiles));
    let error = command.exec();
    eprintln!("{} cannot be started: {error}", compiler.display());
    std::process::exit(1);
}

/// Runs targets, one after the other.
///
/// # Errors
/// There is no such target, the fuzzer cannot be built, or it found something.
pub fn run(options: &Options) -> Result<()> {
    let corpus = repository().join("fuzz/corpus");
    let mut targets = folders(&corpus)?;
    if let Some(wanted) = &options.target {
        let there = targets.join(", ");
        targets.retain(|target| target == wanted);
        if targets.is_empty() {
            bail!("there is no target {wanted:?}; there are {there}");
        }
    }
    let fuzzer = build()?;
    let mut found = Vec::new();
    for target in &targets {
        println!("\n── {target} ──");
        if !fuzz(&fuzzer, target, &corpus.join(target), options.duration)? {
            found.push(target.as_str());
        }
    }
    if found.is_empty() {
        return Ok(());
    }
    bail!(
        "found something in {}: mend it, and put the input that is named above into fuzz/corpus/<target> so that the tests keep it",
        found.join(", ")
    )
}

fn folders(corpus: &Path) -> Result<Vec<String>> {
    let entries = std::fs::read_dir(corpus).with_context(|| format!("{} cannot be read", corpus.display()))?;
    let mut names = Vec::new();
    for entry in entries {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            names.push(entry.file_name().to_string_lossy().into_owned());
        }
    }
    names.sort();
    Ok(names)
}

/// Builds the fuzzer with coverage and says where it is.
fn build() -> Result<PathBuf> {
    let own = std::env::current_exe().context("this program does not know where it is")?;
    let mut command = cargo::command();
    command
        .args(["build", "--workspace", "--bin", "fuzz", "--features", "tapedeck-fuzz/libfuzzer"])
        .args(["--message-format", "json-render-diagnostics"])
        .env("RUSTC_WORKSPACE_WRAPPER", own)
        .env(WRAPPER, "1");
    let output = command.stdin(Stdio::null()).stderr(Stdio::inherit()).output().context("cargo cannot be started")?;
    if !output.status.success() {
        bail!("building the fuzzer failed; see the compiler's words above (libFuzzer needs a C++ compiler)");
    }
    let text = String::from_utf8_lossy(&output.stdout);
    let mut executables = text.lines().filter_map(|line| {
        let message: serde_json::Value = serde_json::from_str(line).ok()?;
        Some(PathBuf::from(message.get("executable")?.as_str()?))
    });
    executables.next_back().context("cargo built the fuzzer, but does not say where")
}

/// Whether a target held out. What is new to its corpus goes to a folder beside the build's own files.
fn fuzz(fuzzer: &Path, target: &str, corpus: &Path, duration: Duration) -> Result<bool> {
    let folder = repository().join("target/fuzz").join(target);
    let grown = folder.join("corpus");
    std::fs::create_dir_all(&grown).with_context(|| format!("{} cannot be made", grown.display()))?;
    let mut command = Command::new(fuzzer);
    command
        .env("TAPEDECK_FUZZ_TARGET", target)
        .arg(format!("-max_total_time={}", duration.as_secs().max(1)))
        .arg(format!("-artifact_prefix={}/", folder.display()))
        // Ten seconds for one input and two GiB of memory are far more than any of them needs.
        .args(["-timeout=10", "-rss_limit_mb=2048", "-max_len=16384", "-print_final_stats=1"])
        // What plugins log natively.
        .arg("-close_fd_mask=1")
        .arg(&grown)
        .arg(corpus);
    Ok(command.status().with_context(|| format!("{} cannot be started", fuzzer.display()))?.success())
}
