//! A command of the `tapedeck` binary, run to its end.

use std::ffi::OsStr;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};

use crate::programs;

/// How a command ended, and what it said.
#[derive(Debug)]
#[expect(missing_docs)]
pub struct Output {
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

impl Output {
    /// What it printed, where it ended well.
    ///
    /// # Errors
    /// It ended with another exit code than 0.
    pub fn success(self) -> Result<String> {
        ensure!(self.code == Some(0), "exit code {:?}\n{}{}", self.code, self.stdout, self.stderr);
        Ok(self.stdout)
    }
}

/// Runs `tapedeck` with these arguments.
///
/// # Errors
/// It cannot be built or started.
pub fn tapedeck<A: AsRef<OsStr>>(arguments: impl IntoIterator<Item = A>) -> Result<Output> {
    let mut command = Command::new(programs::tapedeck()?);
    let output = command.args(arguments).stdin(Stdio::null()).output().context("tapedeck cannot be started")?;
    let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
    Ok(Output { code: output.status.code(), stdout: text(output.stdout), stderr: text(output.stderr) })
}
