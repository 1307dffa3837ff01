//! `cargo xtask instructions`: counts the instructions of fixed inputs by valgrind, and compares them with those that
//! bench/instructions.toml keeps. Time differs from run to run; this does not, so that a regression of a few percent shows.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};
use clap::Args;
use serde::{Deserialize, Serialize};

use crate::cargo::{self, Profile};
use crate::home::repository;

const FILE: &str = "bench/instructions.toml";
const HEADER: &str = "\
# Instructions of fixed inputs, as `cargo xtask instructions --accept` counted them. `cargo verify` fails where they grow by more than
# the tolerance; accept a growth that is worth it in the commit that brings it.

";
/// Hundredths that a count may be above what is kept. A system's own memory functions differ by less.
const TOLERANCE: u64 = 5;

/// What to do with the counts.
#[derive(Debug, Clone, Args)]
pub struct Options {
    /// Keep these counts from now on.
    #[arg(long)]
    accept: bool,
}

/// An input that is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Case {
    name: &'static str,
    program: Program,
    /// How the program knows it.
    argument: &'static str,
    /// The function within which instructions count, as a pattern of its symbol.
    function: &'static str,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Program {
    /// SDK and plugins without a sandbox: quickly built.
    Native,
    /// The suite, which has all of the host in it.
    Suite,
}

const CASES: [Case; 6] = [
    Case::new("sdk: scanner", Program::Native, "scanner", "*counted_scan*"),
    Case::new("plugin: binance", Program::Native, "binance", "*counted_decode*"),
    Case::new("plugin: kraken", Program::Native, "kraken", "*counted_decode*"),
    Case::new("host: answer of a plugin", Program::Suite, "answer", "tapedeck::plugin::answer::take"),
    Case::new("host: ledger", Program::Suite, "ledger", "*counted_ledger*"),
    Case::new("host: record", Program::Suite, "record", "*counted_record*"),
];

impl Case {
    const fn new(name: &'static str, program: Program, argument: &'static str, function: &'static str) -> Self {
        Self { name, program, argument, function }
    }
}

/// What is kept: counts belong to a compiler and a kind of processor.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Kept {
    rustc: String,
    processor: String,
    counts: BTreeMap<String, u64>,
}

/// Counts all inputs, and compares or keeps them.
///
/// # Errors
/// valgrind is missing, something does not compile, or a count has grown too much.
pub fn run(options: &Options) -> Result<()> {
    if !is_there() {
        bail!("valgrind is not installed: `apt-get install valgrind`, or your system's way, adds it");
    }
    let counts = count(&[Program::Native, Program::Suite])?;
    let kept = read()?;
    print(&counts, kept.as_ref());
    if options.accept {
        let kept = Kept { rustc: cargo::rustc_version()?, processor: std::env::consts::ARCH.to_owned(), counts };
        let text = format!("{HEADER}{}", toml::to_string(&kept)?);
        return std::fs::write(repository().join(FILE), text).with_context(|| format!("{FILE} cannot be written"));
    }
    let kept = kept.with_context(|| format!("there is no {FILE}: `cargo xtask instructions --accept` writes it"))?;
    if let Some(reason) = incomparable(&kept)? {
        bail!("nothing to compare with: {reason}");
    }
    judge(&counts, &kept)
}

/// What `cargo verify` does: counts what is quickly built. The answer is a few words; `Err` within it a reason to leave this out.
///
/// # Errors
/// As [`run`].
pub(crate) fn verify() -> Result<std::result::Result<String, String>> {
    if !is_there() {
        return Ok(Err("valgrind is not installed".to_owned()));
    }
    let Some(kept) = read()? else { bail!("there is no {FILE}: `cargo xtask instructions --accept` writes it") };
    if let Some(reason) = incomparable(&kept)? {
        return Ok(Err(reason));
    }
    let counts = count(&[Program::Native])?;
    print(&counts, Some(&kept));
    judge(&counts, &kept).map(|()| Ok(format!("{} inputs within {TOLERANCE} %", counts.len())))
}

fn is_there() -> bool {
    Command::new("valgrind").arg("--version").output().is_ok_and(|output| output.status.success())
}

fn read() -> Result<Option<Kept>> {
    let file = repository().join(FILE);
    if !file.is_file() {
        return Ok(None);
    }
    let text = std::fs::read_to_string(&file).with_context(|| format!("{FILE} cannot be read"))?;
    toml::from_str(&text).with_context(|| format!("{FILE} is not what `--accept` writes")).map(Some)
}

/// Why the kept counts say nothing here, if they do not.
fn incomparable(kept: &Kept) -> Result<Option<String>> {
    let (rustc, processor) = (cargo::rustc_version()?, std::env::consts::ARCH);
    if (kept.rustc.as_str(), kept.processor.as_str()) == (rustc.as_str(), processor) {
        return Ok(None);
    }
    Ok(Some(format!("{FILE} is of rustc {} for {}, this is {rustc} for {processor}", kept.rustc, kept.processor)))
}

fn count(programs: &[Program]) -> Result<BTreeMap<String, u64>> {
    let mut counts = BTreeMap::new();
    for program in programs {
        let file = match program {
            Program::Native => cargo::binary_like_plugins("tapedeck-bench-native")?,
            Program::Suite => cargo::binary("tapedeck-bench", Profile::Release)?,
        };
        for case in CASES.iter().filter(|case| case.program == *program) {
            let count = instructions(&file, case).with_context(|| format!("{} cannot be counted", case.name))?;
            counts.insert(case.name.to_owned(), count);
        }
    }
    Ok(counts)
}

/// Runs a case under callgrind. The environment is empty: what lies on the stack would shift what lies behind it.
fn instructions(program: &Path, case: &Case) -> Result<u64> {
    let mut valgrind = Command::new("valgrind");
    let path: PathBuf = std::env::var_os("PATH").unwrap_or_default().into();
    valgrind.env_clear().env("PATH", path).current_dir(repository()).stdin(Stdio::null());
    valgrind.args(["--tool=callgrind", "--callgrind-out-file=/dev/null", "--collect-atstart=no"]);
    valgrind.arg(format!("--toggle-collect={}", case.function));
    let output = valgrind.arg(program).args(["count", case.argument]).output().context("valgrind cannot be started")?;
    let words = String::from_utf8_lossy(&output.stderr);
    if !output.status.success() {
        bail!("valgrind or the program failed:\n{words}");
    }
    let collected = words.lines().find_map(|line| line.split_once("Collected :"));
    let count: u64 = collected.context("valgrind does not say what it collected")?.1.trim().parse()?;
    if count == 0 {
        bail!("{} was never entered: the compiler has inlined it, or it is called otherwise now", case.function);
    }
    Ok(count)
}

fn print(counts: &BTreeMap<String, u64>, kept: Option<&Kept>) {
    println!("{:<28} {:>14} {:>14} {:>9}", "instructions of", "counted", "kept", "change");
    for (name, count) in counts {
        let kept = kept.and_then(|kept| kept.counts.get(name));
        let change =
            kept.map_or_else(String::new, |kept| format!("{:+.2} %", 100.0 * (*count as f64 / *kept as f64 - 1.0)));
        println!("{name:<28} {count:>14} {:>14} {change:>9}", kept.map_or_else(String::new, u64::to_string));
    }
}

fn judge(counts: &BTreeMap<String, u64>, kept: &Kept) -> Result<()> {
    let mut faults = Vec::new();
    for (name, count) in counts {
        match kept.counts.get(name) {
            None => faults.push(format!("{name} is new")),
            Some(kept) if count * 100 > kept * (100 + TOLERANCE) => {
                faults.push(format!("{name} has grown from {kept} to {count}"))
            }
            Some(_) => {}
        }
    }
    if faults.is_empty() {
        return Ok(());
    }
    bail!("{} (`cargo xtask instructions --accept` keeps what is worth it)", faults.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn growth_beyond_the_tolerance_is_named_and_a_new_case_too() {
        let counts = |list: &[(&str, u64)]| list.iter().map(|(name, count)| ((*name).to_owned(), *count)).collect();
        let kept = Kept {
            rustc: String::new(),
            processor: String::new(),
            counts: counts(&[("a", 1000), ("b", 1000), ("c", 1000)]),
        };
        assert!(judge(&counts(&[("a", 1050), ("b", 900)]), &kept).is_ok());
        let error = judge(&counts(&[("a", 1051), ("d", 1)]), &kept).unwrap_err().to_string();
        assert!(error.starts_with("a has grown from 1000 to 1051, d is new"), "{error}");
    }

    #[test]
    fn what_is_kept_is_of_all_cases() {
        let kept = read().unwrap().unwrap();
        let mut names: Vec<&str> = CASES.iter().map(|case| case.name).collect();
        names.sort_unstable();
        assert_eq!(kept.counts.keys().map(String::as_str).collect::<Vec<_>>(), names);
    }
}
