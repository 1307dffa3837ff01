//! The parts of the suite, and how one is run.

use std::fs;
use std::path::PathBuf;
use std::time::Instant;

use anyhow::{Context, Result};
use xtask::bench::Options;
use xtask::home::repository;

use crate::machine::Machine;
use crate::report::{Findings, Report};
use crate::{candles, growth, kafka, page, plugins, report, table, target, versions, whole};

/// What a part needs to know.
#[derive(Debug, Clone)]
pub struct Setting {
    /// Rounds of each comparison.
    pub runs: usize,
    /// An empty folder of the part's own.
    pub folder: PathBuf,
    /// Folder with release builds of `tapedeck`, `tapedeck-sim` and `xtask`.
    pub programs: PathBuf,
    /// Folder with the plugins.
    pub plugins: PathBuf,
}

/// A part.
#[derive(Debug, Clone, Copy)]
pub struct Part {
    /// Its name, one of [`xtask::bench::PARTS`].
    pub name: &'static str,
    /// Runs it.
    pub run: fn(&Setting) -> Result<Findings>,
}

/// All parts that there are.
pub const PARTS: &[Part] = &[
    Part { name: "plugins", run: plugins::run },
    Part { name: "kafka", run: kafka::run },
    Part { name: "candles", run: candles::run },
    Part { name: "whole", run: whole::run },
    Part { name: "growth", run: growth::run },
];

/// Runs the parts that were asked for, prints and keeps what each found, and writes the page.
///
/// # Errors
/// A part fails. Those before it are kept, and those behind it run first.
pub fn run(options: &Options) -> Result<()> {
    if options.page {
        return page::write();
    }
    let mut failed = Vec::new();
    for part in PARTS.iter().filter(|part| options.wants(part.name)) {
        if let Err(error) = run_part(part, options) {
            eprintln!("\n{} failed: {error:#}", part.name);
            failed.push(part.name);
        }
    }
    anyhow::ensure!(failed.is_empty(), "failed: {}", failed.join(", "));
    Ok(())
}

fn run_part(part: &Part, options: &Options) -> Result<()> {
    println!("\n── {} ──", part.name);
    let began = Instant::now();
    let findings = (part.run)(&setting(part, options)?)?;
    let report = Report {
        part: part.name.to_owned(),
        runs: options.runs,
        machine: Machine::read(),
        versions: versions::own()?,
        findings,
    };
    print(&report);
    let file = report.write(&repository().join("target/bench"))?;
    println!("\n{} took {} s; all samples are in {}", part.name, began.elapsed().as_secs(), file.display());
    if !options.no_docs {
        report.write(&report::results())?;
        page::write()?;
    }
    Ok(())
}

fn setting(part: &Part, options: &Options) -> Result<Setting> {
    let target = repository().join("target");
    let folder = target.join("bench/work").join(part.name);
    if folder.exists() {
        fs::remove_dir_all(&folder).with_context(|| format!("{} cannot be emptied", folder.display()))?;
    }
    fs::create_dir_all(&folder).with_context(|| format!("{} cannot be made", folder.display()))?;
    let own = std::env::current_exe().context("this program does not know where it is")?;
    let programs = own.parent().context("this program has no folder")?.to_path_buf();
    Ok(Setting { runs: options.runs, folder, programs, plugins: target.join("plugins") })
}

fn print(report: &Report) {
    for table in &report.findings.tables {
        println!("\n{}", table.terminal());
    }
    if !report.findings.targets.is_empty() {
        let mut table = table::Table::new("Targets", &target::HEAD);
        for target in &report.findings.targets {
            let [what, cells @ ..] = target.cells();
            table.row(&what, cells.map(table::Cell::Text).to_vec());
        }
        println!("\n{}", table.terminal());
    }
    for left_out in report.findings.left_out() {
        println!("left out: {}, {}", left_out.contender, left_out.reason);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_part_is_one_that_can_be_asked_for() {
        for part in PARTS {
            assert!(xtask::bench::PARTS.iter().any(|known| known.name == part.name), "{}", part.name);
        }
    }
}
