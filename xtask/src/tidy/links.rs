//! Links in Markdown lead somewhere: to a file of the project, and to a heading that it has.

use super::{Finding, Tree};

pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let mut found = Vec::new();
    for file in tree.under("", ".md") {
        let mut fenced = false;
        for (index, line) in file.text.lines().enumerate() {
            fenced ^= line.trim_start().starts_with("```");
            if fenced {
                continue;
            }
            for target in targets(line) {
                if let Some(sentence) = objection(tree, &file.path, target) {
                    found.push(Finding::new(&file.path, index + 1, sentence));
                }
            }
        }
    }
    found
}

/// What the `](…)` of a line point at.
fn targets(line: &str) -> impl Iterator<Item = &str> {
    line.split("](").skip(1).filter_map(|rest| rest.split_once(')')).map(|(target, _)| target)
}

fn objection(tree: &Tree, from: &str, target: &str) -> Option<String> {
    if target.contains("://") || target.starts_with("mailto:") {
        return None;
    }
    let (path, heading) = target.split_once('#').map_or((target, None), |(path, heading)| (path, Some(heading)));
    let path = if path.is_empty() { from.to_owned() } else { resolve(from, path) };
    if !path.is_empty() && !tree.has(&path) {
        return Some(format!("the link `{target}` leads nowhere: there is no {path}"));
    }
    let heading = heading?;
    let file = tree.files.iter().find(|file| file.path == path && path.ends_with(".md"))?;
    let known = file.text.lines().filter(|line| line.starts_with('#')).any(|line| anchor(line) == heading);
    (!known).then(|| format!("the link `{target}` leads nowhere: {path} has no such heading"))
}

/// The target's path from the project's root.
fn resolve(from: &str, target: &str) -> String {
    let mut parts: Vec<&str> = from.split('/').collect();
    parts.pop();
    for part in target.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop();
            }
            name => parts.push(name),
        }
    }
    parts.join("/")
}

/// The anchor that a heading gets: lower case, blanks to hyphens, no punctuation.
fn anchor(heading: &str) -> String {
    let text = heading.trim_start_matches('#').trim().to_lowercase();
    let kept = text.chars().filter(|character| character.is_alphanumeric() || " -_".contains(*character));
    kept.map(|character| if character == ' ' { '-' } else { character }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_are_followed_to_files_folders_and_headings() {
        let text = "See [a](../README.md), [b](adr), [c](other.md#how-it-is-run-here), [d](https://example.org/x).\n\
                    And [e](gone.md), [f](other.md#gone).\n```\n[g](not-a-link.md)\n```\n[h](#first-steps)\n# First steps\n";
        let tree = Tree::of(&[
            ("README.md", "# Readme\n"),
            ("docs/adr/one.md", ""),
            ("docs/main.md", text),
            ("docs/other.md", "# Other\n## How it is run, here\n"),
        ]);
        let found: Vec<String> = check(&tree).iter().map(Finding::to_string).collect();
        let expected = [
            "docs/main.md:2: the link `gone.md` leads nowhere: there is no docs/gone.md",
            "docs/main.md:2: the link `other.md#gone` leads nowhere: docs/other.md has no such heading",
        ];
        assert_eq!(found, expected);
    }
}
