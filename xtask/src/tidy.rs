//! `cargo xtask tidy`: what the project has agreed on and no compiler checks. Findings are `file:line: sentence`.

use std::fmt;

use anyhow::{Result, bail};

mod files;
mod links;
mod names;
mod parts;
mod tree;
mod words;

pub use tree::{SourceFile, Tree};

/// Something that is not as agreed.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Finding {
    /// The file, relative to the project's root.
    pub path: String,
    /// The line, from 1.
    pub line: usize,
    /// What is wrong and what to do.
    pub sentence: String,
}

impl Finding {
    fn new(path: &str, line: usize, sentence: impl Into<String>) -> Self {
        Self { path: path.to_owned(), line, sentence: sentence.into() }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}:{}: {}", self.path, self.line, self.sentence)
    }
}

/// Everything that is not as agreed, sorted by place.
pub fn findings(tree: &Tree) -> Vec<Finding> {
    let mut found = files::check(tree);
    found.extend(names::check(tree));
    found.extend(words::check(tree));
    found.extend(links::check(tree));
    found.extend(parts::check(tree));
    found.sort();
    found
}

/// Prints the findings of the project. Fails if there are any.
pub fn run() -> Result<()> {
    let tree = Tree::of_project()?;
    let found = findings(&tree);
    for finding in &found {
        println!("{finding}");
    }
    match found.len() {
        0 => {
            println!("tidy: {} files, nothing to say", tree.files.len());
            Ok(())
        }
        1 => bail!("tidy: 1 finding"),
        many => bail!("tidy: {many} findings"),
    }
}
