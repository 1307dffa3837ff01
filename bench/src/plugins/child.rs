//! A contender that is a process of its own and measures itself: bench/peers/stopwatch.rs.

use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use serde::Deserialize;
use xtask::cargo;

use crate::clock::Elapsed;
use crate::contender::Contender;
use crate::peers;
use crate::sample::Sample;

/// Where it comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Program {
    /// bench/native.
    Own,
    /// The peer of this name, whose program has the same.
    Peer(&'static str),
}

/// A program that is run anew in each round.
#[derive(Debug)]
pub(super) struct Child {
    name: String,
    program: Program,
    arguments: Vec<String>,
    /// How many trades a pass must make.
    trades: u64,
    file: PathBuf,
}

/// What it prints.
#[derive(Deserialize)]
struct Measured {
    trades: u64,
    passes: u64,
    wall_ns: u64,
    cpu_ns: u64,
}

impl Child {
    pub(super) fn new(name: &str, program: Program, arguments: Vec<String>, trades: u64) -> Self {
        Self { name: name.to_owned(), program, arguments, trades, file: PathBuf::new() }
    }
}

impl Contender for Child {
    fn name(&self) -> String {
        self.name.clone()
    }

    fn set_up(&mut self) -> Result<()> {
        self.file = match self.program {
            Program::Own => cargo::binary_like_plugins("tapedeck-bench-native")?,
            Program::Peer(peer) => peers::build_by_cargo(peer)?.join(peer),
        };
        Ok(())
    }

    fn run(&mut self) -> Result<Sample> {
        let mut command = Command::new(&self.file);
        let output = command.args(&self.arguments).stdin(Stdio::null()).output().context("it cannot be started")?;
        if !output.status.success() {
            bail!("it ended with {}: {}", output.status, String::from_utf8_lossy(&output.stderr).trim());
        }
        let Measured { trades, passes, wall_ns, cpu_ns } =
            serde_json::from_slice(&output.stdout).context("it does not say what it measured")?;
        ensure!(trades == self.trades, "it made {trades} trades, and there are {}", self.trades);
        let elapsed = Elapsed { wall: Duration::from_nanos(wall_ns), cpu: Duration::from_nanos(cpu_ns) };
        Ok(elapsed.sample(trades * passes))
    }

    fn is_required(&self) -> bool {
        self.program == Program::Own
    }
}
