//! Sets up what Tapedeck is compared with: each a folder of bench/peers with lock files of its own, so that none of it becomes
//! a dependency of the product.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Mutex, PoisonError};

use anyhow::{Context, Error, Result, bail};
use xtask::cargo;
use xtask::home::repository;

/// How much of a failed set-up's output is shown.
const TAIL: usize = 3;

/// The folder of a peer's sources.
#[must_use]
pub fn sources(peer: &str) -> PathBuf {
    repository().join("bench/peers").join(peer)
}

/// Where a peer is built and installed.
#[must_use]
pub fn folder(peer: &str) -> PathBuf {
    repository().join("target/bench/peers").join(peer)
}

/// Builds a peer that is a cargo workspace, as optimised as its manifest says, and gives the folder of its binaries. Once for all
/// contenders, whether it works or not.
///
/// # Errors
/// It cannot be fetched or does not compile.
pub fn build_by_cargo(peer: &str) -> Result<PathBuf> {
    static BUILT: Mutex<BTreeMap<String, Result<PathBuf, String>>> = Mutex::new(BTreeMap::new());
    let mut built = BUILT.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(outcome) = built.get(peer) {
        return outcome.clone().map_err(Error::msg);
    }
    println!("  building bench/peers/{peer} (the first time takes minutes)");
    let target = folder(peer);
    let mut command = cargo::command();
    command.args(["build", "--release", "--locked", "--quiet", "--manifest-path"]);
    command.arg(sources(peer).join("Cargo.toml")).arg("--target-dir").arg(&target);
    let outcome = run(command, &format!("bench/peers/{peer}")).map(|()| target.join("release"));
    let outcome = outcome.map_err(|error| format!("{error:#}"));
    built.insert(peer.to_owned(), outcome.clone());
    outcome.map_err(Error::msg)
}

/// Runs a command of a set-up. Its output is shown only if it fails, and then the end of it.
///
/// # Errors
/// It cannot be started, or fails.
pub fn run(mut command: Command, what: &str) -> Result<()> {
    let program = command.get_program().to_string_lossy().into_owned();
    let output =
        command.stdin(Stdio::null()).output().with_context(|| format!("{what}: `{program}` cannot be started"))?;
    if output.status.success() {
        return Ok(());
    }
    let text = String::from_utf8_lossy(&output.stderr).into_owned() + &String::from_utf8_lossy(&output.stdout);
    let lines: Vec<&str> = text.lines().filter(|line| !line.trim().is_empty()).collect();
    bail!("{what}: `{program}` failed: {}", lines[lines.len().saturating_sub(TAIL)..].join(" / "))
}

/// A program in PATH, or a sentence that it is missing.
///
/// # Errors
/// It is not installed.
pub fn program(name: &str) -> Result<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found = std::env::split_paths(&path).map(|folder| folder.join(name)).find(|file| Path::is_file(file));
    found.with_context(|| format!("`{name}` is not installed"))
}
