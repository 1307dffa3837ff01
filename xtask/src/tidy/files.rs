//! How files open, how long they are, and what they are called.

use super::{Finding, Tree};

/// From here on a file is split.
const MOST_LINES: usize = 500;

pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let mut found = Vec::new();
    for file in &tree.files {
        let path = file.path.as_str();
        let (opening, what) = match path.rsplit_once('.') {
            Some((_, "rs")) => ("//!", "a `//!`"),
            Some((_, "sql")) => ("--", "a `--` comment"),
            Some((_, "wit")) => ("", ""),
            _ => continue,
        };
        if !file.text.starts_with(opening) {
            found.push(Finding::new(path, 1, format!("open the file with {what} that says what it is for")));
        }
        let lines = file.text.lines().count();
        if lines > MOST_LINES {
            found.push(Finding::new(path, MOST_LINES + 1, format!("split the file: it has {lines} lines")));
        }
        if path.ends_with("/mod.rs") {
            found.push(Finding::new(path, 1, "name it after its module: `foo.rs` beside `foo/`, no `mod.rs`"));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn openings_lengths_and_names_are_checked() {
        let long = format!("//! Long.\n{}", "\n".repeat(500));
        let tree = Tree::of(&[
            ("host/src/good.rs", "//! Good.\n"),
            ("host/src/bad.rs", "use std::fmt;\n"),
            ("host/src/feed/mod.rs", "//! Named so.\n"),
            ("host/src/long.rs", &long),
            ("sql/gold/010.sql", "SELECT 1\n"),
            ("docs/long.md", &long),
        ]);
        let found: Vec<String> = check(&tree).iter().map(Finding::to_string).collect();
        let expected = [
            "host/src/bad.rs:1: open the file with a `//!` that says what it is for",
            "host/src/feed/mod.rs:1: name it after its module: `foo.rs` beside `foo/`, no `mod.rs`",
            "host/src/long.rs:501: split the file: it has 501 lines",
            "sql/gold/010.sql:1: open the file with a `--` comment that says what it is for",
        ];
        assert_eq!(found, expected);
    }
}
