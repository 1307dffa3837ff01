//! The steps of the check that are one command each.

use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::{cargo, instructions};

/// How the words of a step begin that had nothing to do.
pub(super) const SKIPPED: &str = "skipped: ";

/// Formatting of the project, and of what is a workspace of its own: the misbehaving guests, and what benchmarks compare with.
pub(super) fn formatting() -> Result<String> {
    let mut project = cargo::command();
    project.args(["fmt", "--all", "--check"]);
    let mut outcome = pass(project, "run `cargo fmt --all`");
    for manifest in ["tests/hostile/Cargo.toml", "bench/peers/parse/Cargo.toml"] {
        let mut other = cargo::command();
        other.args(["fmt", "--all", "--check", "--manifest-path", manifest]);
        outcome = outcome.and(pass(other, &format!("run `cargo fmt --all --manifest-path {manifest}`")));
    }
    outcome.map(|()| String::new())
}

/// All lints, as errors.
pub(super) fn lints() -> Result<String> {
    let mut clippy = cargo::command();
    clippy.args(["clippy", "--workspace", "--all-targets", "--quiet", "--", "-D", "warnings"]);
    pass(clippy, "see the lints above").map(|()| String::new())
}

/// All binaries and tests, in the one profile that everything here uses.
pub(super) fn build() -> Result<String> {
    let mut tests = cargo::command();
    tests.args(["test", "--workspace", "--no-run", "--quiet"]);
    pass(tests, "see the compiler's words above")?;
    let mut binaries = cargo::command();
    binaries.args(["build", "--workspace", "--bins", "--quiet"]);
    pass(binaries, "see the compiler's words above").map(|()| String::new())
}

/// The instructions of fixed inputs, where they can be counted.
pub(super) fn instructions() -> Result<String> {
    let outcome = instructions::verify()?;
    Ok(outcome.unwrap_or_else(|reason| {
        println!("this step is left out: {reason}");
        format!("{SKIPPED}{reason}")
    }))
}

/// A cargo tool that not everybody has: run where it is installed.
pub(super) fn optional(program: &str, arguments: &[&str]) -> Result<String> {
    let found = Command::new(program).arg("--version").output().is_ok_and(|output| output.status.success());
    if !found {
        println!("{program} is not installed, this step is left out (`cargo install {program}` adds it)");
        return Ok(format!("{SKIPPED}{program} is not installed"));
    }
    let mut tool = cargo::command();
    tool.args(arguments);
    pass(tool, "see above").map(|()| String::new())
}

/// A short demo, by the very command that users type; it audits itself.
pub(super) fn demo() -> Result<String> {
    let mut demo = cargo::command();
    demo.args(["demo", "--for", "20s"]);
    pass(demo, "see the audit above").map(|()| String::new())
}

/// Runs a command with its output passed through.
fn pass(mut command: Command, advice: &str) -> Result<()> {
    let program = command.get_program().to_string_lossy().into_owned();
    let status = command.status().with_context(|| format!("`{program}` cannot be started"))?;
    if !status.success() {
        bail!("it failed: {advice}");
    }
    Ok(())
}
