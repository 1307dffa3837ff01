//! Builds the project's own binaries by cargo and says where they are.

use std::path::PathBuf;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};
use serde::Deserialize;

use crate::home::repository;

/// Which of cargo's profiles to build with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Profile {
    /// Quick to build.
    Dev,
    /// Quick to run.
    Release,
}

/// A line of cargo's `--message-format json`.
#[derive(Deserialize)]
struct Message {
    target: Option<Target>,
    executable: Option<PathBuf>,
}

#[derive(Deserialize)]
struct Target {
    name: String,
}

/// The cargo that runs us, or the one in PATH.
pub fn command() -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(repository());
    command
}

/// Builds one binary of the workspace and gives its path. The compiler's words go to stderr.
///
/// Cargo chooses the features of dependencies by the packages that are asked for; asking for the whole workspace keeps
/// them the same in all tasks, so that nothing is compiled twice.
pub fn binary(name: &str, profile: Profile) -> Result<PathBuf> {
    let mut cargo = command();
    cargo.args(["build", "--workspace", "--bin", name, "--message-format", "json-render-diagnostics"]);
    if profile == Profile::Release {
        cargo.arg("--release");
    }
    executable(cargo, name)
}

/// Builds one binary of the workspace as the plugins are compiled: for speed, all of it at once. It shares their target folder,
/// where the macros that it needs are compiled already.
pub fn binary_like_plugins(package: &str) -> Result<PathBuf> {
    let mut cargo = command();
    cargo.args(["build", "--package", package, "--profile", "plugin", "--target", &host()?]);
    cargo.args(["--quiet", "--message-format", "json-render-diagnostics", "--target-dir"]);
    cargo.arg(repository().join("target/guests"));
    executable(cargo, package)
}

/// The compiler's version, `1.95.0`.
pub fn rustc_version() -> Result<String> {
    about_rustc("release: ")
}

/// What this compiler compiles for if not told otherwise.
fn host() -> Result<String> {
    about_rustc("host: ")
}

/// A line of what the compiler says of itself.
fn about_rustc(name: &str) -> Result<String> {
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let output = Command::new(rustc).arg("-vV").output().context("rustc cannot be started")?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let line = text.lines().find_map(|line| line.strip_prefix(name));
    Ok(line.with_context(|| format!("rustc does not say its {name}"))?.to_owned())
}

/// Runs a build that prints JSON, and gives the path of the binary of this name.
fn executable(mut cargo: Command, name: &str) -> Result<PathBuf> {
    let output = cargo.stdin(Stdio::null()).stderr(Stdio::inherit()).output().context("cargo cannot be started")?;
    if !output.status.success() {
        bail!("building {name} failed; see the compiler's words above");
    }
    let text = String::from_utf8_lossy(&output.stdout);
    let messages = text.lines().filter_map(|line| serde_json::from_str::<Message>(line).ok());
    let mut built = messages.filter(|message| message.target.as_ref().is_some_and(|target| target.name == name));
    built.find_map(|message| message.executable).with_context(|| format!("cargo built {name}, but does not say where"))
}
