//! docs/performance.md and its charts, made of bench/results and bench/notes: a pure function of those, so that nobody edits the
//! page.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use xtask::bench::PARTS;
use xtask::home::repository;

use crate::report::{self, Report};
use crate::table::markdown;
use crate::target;

const PAGE: &str = "docs/performance.md";
const IMAGES: &str = "docs/images";
const HEADER: &str = "<!-- Written by `cargo xtask bench`: change bench/notes, not this. -->\n";

/// Writes the page and the charts; removes charts that there are no more.
///
/// # Errors
/// Results or notes cannot be read, or a file cannot be written.
pub fn write() -> Result<()> {
    let files = files()?;
    for stale in charts_on_disk()?.into_iter().filter(|file| !files.contains_key(file)) {
        fs::remove_file(repository().join(&stale)).with_context(|| format!("{} cannot be removed", stale.display()))?;
    }
    for (file, text) in &files {
        fs::write(repository().join(file), text).with_context(|| format!("{} cannot be written", file.display()))?;
    }
    println!("{PAGE} is written");
    Ok(())
}

/// All files by their paths in the repository.
fn files() -> Result<BTreeMap<PathBuf, String>> {
    let mut files = BTreeMap::new();
    let mut page = format!("# Performance\n\n{HEADER}\n{}", note("page")?);
    let mut reports = Vec::new();
    for part in PARTS {
        reports.extend(Report::read(&report::results(), part.name)?.map(|report| (part, report)));
    }
    let targets: Vec<Vec<String>> =
        reports.iter().flat_map(|(_, report)| &report.findings.targets).map(|target| target.cells().to_vec()).collect();
    if !targets.is_empty() {
        let _ = write!(page, "\n## Targets\n\n{}", markdown(&target::HEAD, &targets));
    }
    for (part, report) in &reports {
        let _ = write!(page, "\n## {}\n\n{}", part.title, section(report)?);
        for chart in &report.findings.charts {
            files.insert(Path::new(IMAGES).join(chart.file_name(part.name)), chart.svg()?);
        }
    }
    files.insert(PAGE.into(), page);
    Ok(files)
}

fn section(report: &Report) -> Result<String> {
    let mut text = String::new();
    let findings = &report.findings;
    let versions = report.versions.iter().chain(&findings.versions);
    let versions: Vec<String> = versions.map(|version| format!("{} {}", version.name, version.version)).collect();
    if !findings.setting.is_empty() {
        let _ = writeln!(text, "{}\n", findings.setting.trim_end());
    }
    let _ = writeln!(text, "`cargo xtask bench {}`, {} rounds, on {}.", report.part, report.runs, report.machine);
    let _ = writeln!(text, "{}.", versions.join(", "));
    for left_out in findings.left_out() {
        let _ = writeln!(text, "Left out: {}, {}.", left_out.contender, left_out.reason.trim_end_matches('.'));
    }
    for chart in &findings.charts {
        let _ = writeln!(text, "\n![{}](images/{})", chart.title, chart.file_name(&report.part));
    }
    for table in &findings.tables {
        let _ = write!(text, "\n### {}\n\n{}", table.title, table.markdown());
    }
    let note = note(&report.part)?;
    if !note.is_empty() {
        let _ = write!(text, "\n{note}");
    }
    Ok(text)
}

/// What a person wrote about a part, or about all of it (`page`); empty if nobody did.
fn note(name: &str) -> Result<String> {
    let file = repository().join("bench/notes").join(format!("{name}.md"));
    if !file.is_file() {
        return Ok(String::new());
    }
    let text = fs::read_to_string(&file).with_context(|| format!("{} cannot be read", file.display()))?;
    Ok(format!("{}\n", text.trim()))
}

fn charts_on_disk() -> Result<Vec<PathBuf>> {
    let folder = repository().join(IMAGES);
    let mut found = Vec::new();
    for entry in fs::read_dir(&folder).with_context(|| format!("{} cannot be read", folder.display()))? {
        let name = entry?.file_name().to_string_lossy().into_owned();
        if name.starts_with("performance-") {
            found.push(Path::new(IMAGES).join(name));
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_is_what_the_results_say() {
        let files = files().unwrap();
        for (file, text) in &files {
            let there = fs::read_to_string(repository().join(file)).unwrap_or_default();
            assert!(there == *text, "{} is not what bench/results says: `cargo xtask bench --page`", file.display());
        }
        let stale: Vec<_> = charts_on_disk().unwrap().into_iter().filter(|file| !files.contains_key(file)).collect();
        assert!(stale.is_empty(), "{stale:?} are of no use: `cargo xtask bench --page`");
    }
}
