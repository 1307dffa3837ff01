//! `cargo xtask bench`: builds everything as users run it, and starts the benchmark suite, which is a program of its own.

use std::ffi::OsString;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail};
use clap::Args;
use clap::builder::TypedValueParser as _;

use crate::cargo::{self, Profile};
use crate::plugins;

/// The suite's program.
const SUITE: &str = "tapedeck-bench";

/// A part of the suite.
#[derive(Debug, Clone, Copy)]
pub struct Part {
    /// How it is asked for.
    pub name: &'static str,
    /// What it measures.
    pub title: &'static str,
}

/// All parts, in the order in which they run and stand on the page.
pub const PARTS: [Part; 5] = [
    Part { name: "plugins", title: "From frames to trades" },
    Part { name: "kafka", title: "From the socket to Kafka" },
    Part { name: "candles", title: "From Kafka to candles" },
    Part { name: "whole", title: "From the socket to candles" },
    Part { name: "growth", title: "Growth" },
];

/// What to measure.
#[derive(Debug, Clone, Args)]
pub struct Options {
    /// Parts to run; without any, all of them.
    #[arg(value_name = "NAME", value_parser = PARTS.map(|part| part.name))]
    parts: Vec<String>,
    /// How often each contender runs.
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=1000).map(|runs| runs as usize))]
    pub runs: usize,
    /// Say what parts there are, and end.
    #[arg(long)]
    list: bool,
    /// Leave bench/results and docs/performance.md as they are.
    #[arg(long)]
    pub no_docs: bool,
    /// Measure nothing: write docs/performance.md anew from bench/results and bench/notes.
    #[arg(long)]
    pub page: bool,
}

impl Options {
    /// Whether a part is to run.
    #[must_use]
    pub fn wants(&self, part: &str) -> bool {
        self.parts.is_empty() || self.parts.iter().any(|wanted| wanted == part)
    }

    /// As the suite's own arguments.
    fn arguments(&self) -> Vec<OsString> {
        let mut arguments: Vec<OsString> = self.parts.iter().map(OsString::from).collect();
        arguments.extend(["--runs".into(), self.runs.to_string().into()]);
        arguments.extend(self.no_docs.then(|| "--no-docs".into()));
        arguments.extend(self.page.then(|| "--page".into()));
        arguments
    }
}

/// Builds and runs.
///
/// # Errors
/// Something does not compile, or a part fails.
pub fn run(options: &Options) -> Result<()> {
    if options.list {
        PARTS.iter().for_each(|part| println!("{:<10} {}", part.name, part.title));
        return Ok(());
    }
    if options.page {
        return start(&cargo::binary(SUITE, Profile::Dev)?, options);
    }
    println!("building Tapedeck as users run it (the first time takes minutes)");
    let mut build = cargo::command();
    build.args(["build", "--release", "--workspace", "--bins", "--quiet"]);
    if !build.status().context("cargo cannot be started")?.success() {
        bail!("the release build failed; see the compiler's words above");
    }
    plugins::build(&plugins::Options { quiet: true, ..plugins::Options::default() })?;
    start(&cargo::binary(SUITE, Profile::Release)?, options)
}

fn start(suite: &Path, options: &Options) -> Result<()> {
    let programs = suite.parent().context("cargo built the suite into no folder")?;
    let mut command = Command::new(suite);
    command.args(options.arguments()).env("TAPEDECK_PROGRAMS", programs);
    if !command.status().context("the suite cannot be started")?.success() {
        bail!("the suite failed; see above");
    }
    Ok(())
}
