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
    let output = cargo.stdin(Stdio::null()).stderr(Stdio::inherit()).output().context("cargo cannot be started")?;
    if !output.status.success() {
        bail!("building {name} failed; see the compiler's words above");
    }
    let text = String::from_utf8_lossy(&output.stdout);
    let messages = text.lines().filter_map(|line| serde_json::from_str::<Message>(line).ok());
    let mut built = messages.filter(|message| message.target.as_ref().is_some_and(|target| target.name == name));
    built.find_map(|message| message.executable).with_context(|| format!("cargo built {name}, but does not say where"))
}
