//! What a part found, as it is kept: bench/results/<part>.json.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};
use xtask::home::repository;

use crate::chart::Chart;
use crate::machine::Machine;
use crate::rounds::{LeftOut, Measurement};
use crate::table::Table;
use crate::target::Target;
use crate::versions::Version;

/// What a part hands back.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Findings {
    /// A few sentences on what ran: data, load, settings. Markdown.
    pub setting: String,
    /// Versions of competitors. A report has versions of its own, and all of this beside them.
    #[serde(rename = "peers")]
    pub versions: Vec<Version>,
    /// What was aimed for.
    pub targets: Vec<Target>,
    /// What is shown.
    pub tables: Vec<Table>,
    /// What is drawn.
    pub charts: Vec<Chart>,
    /// Every sample.
    pub measurements: Vec<Measurement>,
}

impl Findings {
    /// Contenders that could not be had, each once.
    #[must_use]
    pub fn left_out(&self) -> Vec<&LeftOut> {
        let mut all: Vec<&LeftOut> = self.measurements.iter().flat_map(|measurement| &measurement.left_out).collect();
        all.sort_by(|one, other| one.contender.cmp(&other.contender));
        all.dedup_by(|one, other| one.contender == other.contender);
        all
    }
}

/// A part's findings, and what is needed to read them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// The part's name.
    pub part: String,
    /// Rounds of each comparison.
    pub runs: usize,
    /// Where it ran.
    pub machine: Machine,
    /// Versions of what every part uses.
    pub versions: Vec<Version>,
    /// What it found.
    #[serde(flatten)]
    pub findings: Findings,
}

impl Report {
    /// Writes it to a folder as `<part>.json`.
    ///
    /// # Errors
    /// The disk is full or the folder cannot be made.
    pub fn write(&self, folder: &Path) -> Result<PathBuf> {
        fs::create_dir_all(folder).with_context(|| format!("the folder {} cannot be made", folder.display()))?;
        let file = folder.join(format!("{}.json", self.part));
        let text = serde_json::to_string_pretty(self)? + "\n";
        fs::write(&file, text).with_context(|| format!("{} cannot be written", file.display()))?;
        Ok(file)
    }

    /// Reads the report of a part from a folder; none if there is none.
    ///
    /// # Errors
    /// The file cannot be read, or is of another version of the suite.
    pub fn read(folder: &Path, part: &str) -> Result<Option<Self>> {
        let file = folder.join(format!("{part}.json"));
        if !file.is_file() {
            return Ok(None);
        }
        let text = fs::read_to_string(&file).with_context(|| format!("{} cannot be read", file.display()))?;
        let report = serde_json::from_str(&text)
            .with_context(|| format!("{} is of another version of the suite: run the part again", file.display()))?;
        Ok(Some(report))
    }
}

/// Where reports are kept that docs/performance.md is made of.
#[must_use]
pub fn results() -> PathBuf {
    repository().join("bench/results")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_is_read_as_it_was_written() {
        let versions = |name: &str| vec![Version::new(name, "1.2.3")];
        let report = Report {
            part: "example".to_owned(),
            runs: 5,
            machine: Machine::read(),
            versions: versions("own"),
            findings: Findings { versions: versions("other"), ..Findings::default() },
        };
        let folder = tempfile::tempdir().unwrap();
        report.write(folder.path()).unwrap();
        assert_eq!(Report::read(folder.path(), "example").unwrap(), Some(report));
        assert_eq!(Report::read(folder.path(), "another").unwrap(), None);
    }
}
