//! Runs the tests in groups, shows their output, and counts.

use std::io::{BufRead, BufReader};
use std::process::Stdio;

use anyhow::{Context, Result, bail};
use serde::Deserialize;

use crate::cargo;

/// The package whose tests need Kafka and ClickHouse.
const PIPELINE: &str = "tapedeck-tests";

/// Which tests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Group {
    /// Those of every crate but the pipeline's.
    Units,
    /// The whole pipeline on real servers.
    Pipeline,
}

/// Sums of the closing lines of test binaries.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Counts {
    passed: u64,
    failed: u64,
    ignored: u64,
}

/// Cargo's word on a test binary that it has built.
#[derive(Deserialize)]
struct Message {
    manifest_path: Option<std::path::PathBuf>,
    package_id: Option<String>,
    target: Option<Target>,
    profile: Option<Profile>,
    executable: Option<std::path::PathBuf>,
}

#[derive(Deserialize)]
struct Target {
    name: String,
    kind: Vec<String>,
}

#[derive(Deserialize)]
struct Profile {
    test: bool,
}

/// Names the cases that models are tried with. One and the same version is always verified with the same ones; `cargo test`
/// takes new ones each time.
const SEED: &str = "PROPTEST_RNG_SEED";

/// A test binary and where it wants to be run.
struct Binary {
    name: String,
    package: String,
    folder: std::path::PathBuf,
    executable: std::path::PathBuf,
}

/// Runs every test binary of a group, also after a failure.
///
/// Cargo builds them all at once and says where they are; it could run a part of them only by choosing packages, which
/// would choose other features and compile half of the dependencies again.
pub(super) fn run(group: Group) -> Result<String> {
    let binaries = binaries()?;
    let wanted = |binary: &&Binary| (binary.package == PIPELINE) == (group == Group::Pipeline);
    let (mut counts, mut broken) = (Counts::default(), Vec::new());
    for binary in binaries.iter().filter(wanted) {
        println!("\n     Running {} of {}", binary.name, binary.package);
        let mut command = std::process::Command::new(&binary.executable);
        command.current_dir(&binary.folder).env("CARGO_MANIFEST_DIR", &binary.folder);
        if std::env::var_os(SEED).is_none() {
            command.env(SEED, "1");
        }
        if !stream(command, &mut counts)? {
            broken.push(binary.name.as_str());
        }
    }
    conclude(counts, &broken)
}

/// Runs the examples in the documentation.
pub(super) fn run_documentation() -> Result<String> {
    let mut command = cargo::command();
    command.args(["test", "--workspace", "--doc", "--quiet"]);
    let mut counts = Counts::default();
    let passed = stream(command, &mut counts)?;
    conclude(counts, if passed { &[] } else { &["documentation"] })
}

fn conclude(counts: Counts, broken: &[&str]) -> Result<String> {
    let Counts { passed, failed, ignored } = counts;
    if !broken.is_empty() {
        bail!("{passed} passed, {failed} failed, in {}", broken.join(", "));
    }
    Ok(format!("{passed} passed, {failed} failed, {ignored} ignored"))
}

fn binaries() -> Result<Vec<Binary>> {
    let mut command = cargo::command();
    command.args(["test", "--workspace", "--no-run", "--message-format", "json-render-diagnostics", "--quiet"]);
    let output = command.stderr(Stdio::inherit()).output().context("cargo cannot be started")?;
    if !output.status.success() {
        bail!("building the tests failed; see the compiler's words above");
    }
    let text = String::from_utf8_lossy(&output.stdout);
    let messages = text.lines().filter_map(|line| serde_json::from_str::<Message>(line).ok());
    Ok(messages.filter_map(binary).collect())
}

fn binary(message: Message) -> Option<Binary> {
    if !message.profile?.test {
        return None;
    }
    let folder = message.manifest_path?.parent()?.to_path_buf();
    // `path+file:///…/xtask#0.1.0` or `path+file:///…/tests#tapedeck-tests@0.1.0`.
    let id = message.package_id?;
    let (path, rest) = id.rsplit_once('#')?;
    let package = rest.split_once('@').map_or_else(|| path.rsplit('/').next(), |(name, _)| Some(name))?.to_owned();
    let target = message.target?;
    let kind = target.kind.first().map_or("", String::as_str);
    Some(Binary { name: format!("{} ({kind})", target.name), package, folder, executable: message.executable? })
}

/// Runs it, passes its output through and adds up its closing lines. Whether it passed.
fn stream(mut command: std::process::Command, counts: &mut Counts) -> Result<bool> {
    let mut child = command.stdout(Stdio::piped()).spawn().context("a test binary cannot be started")?;
    if let Some(output) = child.stdout.take() {
        for line in BufReader::new(output).split(b'\n') {
            let line = line.context("the output of a test binary broke off")?;
            let line = String::from_utf8_lossy(&line);
            println!("{line}");
            counts.add(&line);
        }
    }
    Ok(child.wait().context("a test binary was lost")?.success())
}

impl Counts {
    /// Takes a line `test result: ok. 25 passed; 0 failed; 0 ignored; …`; other lines count for nothing.
    fn add(&mut self, line: &str) {
        let Some((_, rest)) = line.split_once("test result: ") else { return };
        let number = |what: &str| -> u64 {
            let before = rest.split(what).next().unwrap_or_default().trim_end();
            before.rsplit([' ', ';']).next().and_then(|number| number.parse().ok()).unwrap_or(0)
        };
        self.passed += number(" passed");
        self.failed += number(" failed");
        self.ignored += number(" ignored");
    }
}

#[cfg(test)]
mod unit_tests {
    use super::*;

    #[test]
    fn closing_lines_are_added_up() {
        let mut counts = Counts::default();
        counts.add("test result: ok. 25 passed; 0 failed; 1 ignored; 0 measured; 3 filtered out; finished in 1.20s");
        counts.add("test a::b ... ok");
        counts.add("test result: FAILED. 4 passed; 2 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.20s");
        assert_eq!(counts, Counts { passed: 29, failed: 2, ignored: 1 });
    }

    #[test]
    fn packages_are_known_by_their_ids() {
        let message = |id: &str| {
            let text = format!(
                "{{\"manifest_path\":\"a/Cargo.toml\",\"package_id\":\"{id}\",\"profile\":{{\"test\":true}},\
                 \"target\":{{\"name\":\"t\",\"kind\":[\"lib\"]}},\"executable\":\"t\"}}"
            );
            binary(serde_json::from_str(&text).unwrap()).map(|binary| binary.package)
        };
        assert_eq!(message("path+file:///a/tests#tapedeck-tests@0.1.0").as_deref(), Some("tapedeck-tests"));
        assert_eq!(message("path+file:///a/xtask#0.1.0").as_deref(), Some("xtask"));
    }
}
