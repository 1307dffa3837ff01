//! The project's files, as git knows them: tracked, or new and not ignored.

use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::home::repository;

/// All text files of the project.
#[derive(Debug, Default)]
pub struct Tree {
    /// Sorted by path.
    pub files: Vec<SourceFile>,
}

/// One file.
#[derive(Debug)]
pub struct SourceFile {
    /// Relative to the project's root, with `/`.
    pub path: String,
    /// Its text; empty if it is not UTF-8 (a recorded or compiled file).
    pub text: String,
}

impl Tree {
    /// The files of this project.
    pub fn of_project() -> Result<Self> {
        let root = repository();
        let mut git = Command::new("git");
        git.current_dir(&root).args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"]);
        let output = git.output().context("git was not found, and tidy asks it for the files: install git")?;
        if !output.status.success() {
            bail!(
                "git cannot list the files of {}: {}",
                root.display(),
                String::from_utf8_lossy(&output.stderr).trim()
            );
        }
        let listing = String::from_utf8_lossy(&output.stdout);
        let mut files = Vec::new();
        for path in listing.split('\0').filter(|path| !path.is_empty()) {
            // A file that was deleted but is still tracked is none.
            let Ok(bytes) = std::fs::read(root.join(path)) else { continue };
            files.push(SourceFile { path: path.to_owned(), text: String::from_utf8(bytes).unwrap_or_default() });
        }
        files.sort_by(|left, right| left.path.cmp(&right.path));
        files.dedup_by(|left, right| left.path == right.path);
        Ok(Self { files })
    }

    /// A tree of the given files, for tests.
    #[cfg(test)]
    pub(crate) fn of(files: &[(&str, &str)]) -> Self {
        let file = |(path, text): &(&str, &str)| SourceFile { path: (*path).to_owned(), text: (*text).to_owned() };
        Self { files: files.iter().map(file).collect() }
    }

    /// The files directly or deeply under a folder (`host/`) whose names end so (`.rs`).
    pub(crate) fn under(&self, folder: &str, ending: &str) -> impl Iterator<Item = &SourceFile> {
        self.files.iter().filter(move |file| file.path.starts_with(folder) && file.path.ends_with(ending))
    }

    /// Whether there is a file or a folder of this path.
    pub(crate) fn has(&self, path: &str) -> bool {
        let folder = format!("{path}/");
        self.files.iter().any(|file| file.path == path || file.path.starts_with(&folder))
    }

    /// The names of the folders directly under a folder (`plugins/`), each once.
    pub(crate) fn folders(&self, parent: &str) -> Vec<&str> {
        let rest = self.files.iter().filter_map(|file| file.path.strip_prefix(parent));
        let mut names: Vec<&str> = rest.filter_map(|path| path.split_once('/')).map(|(name, _)| name).collect();
        names.dedup();
        names
    }
}
