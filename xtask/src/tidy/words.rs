//! Words that say where and how a file was written rather than what it is: paths of one machine, numbers of tickets, hosts of
//! registries.

use super::{Finding, Tree};

/// Written in two halves, so that this file does not find itself.
const MACHINE_PATHS: [(&str, &str); 3] = [("/ro", "ot/"), ("/wo", "rk/"), ("/ho", "me/")];
const REGISTRIES: [(&str, &str); 5] = [
    ("registry.npm", "js.org"),
    ("index.cra", "tes.io"),
    ("static.cra", "tes.io"),
    ("repo.maven", ".apache.org"),
    ("repo1.maven", ".org"),
];

/// Lock files name the registry by design.
fn is_generated(path: &str) -> bool {
    path.ends_with("Cargo.lock")
}

pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let mut found = Vec::new();
    for file in tree.files.iter().filter(|file| !is_generated(&file.path)) {
        for (index, line) in file.text.lines().enumerate() {
            if let Some(sentence) = objection(line) {
                found.push(Finding::new(&file.path, index + 1, sentence));
            }
        }
    }
    found
}

fn objection(line: &str) -> Option<String> {
    let whole = |(head, tail): &(&str, &str)| format!("{head}{tail}");
    if let Some(path) = MACHINE_PATHS.iter().map(whole).find(|path| begins_a_word(line, path)) {
        return Some(format!("name no path of one machine ({path}…)"));
    }
    if let Some(host) = REGISTRIES.iter().map(whole).find(|host| line.contains(host.as_str())) {
        return Some(format!("name no registry's host ({host}); cargo, npm and Maven know where to ask"));
    }
    let lower = line.to_ascii_lowercase();
    let ticket = ["iss", "ue "].concat();
    let after = lower.split(&ticket).skip(1).any(|rest| {
        let number = rest.strip_prefix('#').unwrap_or(rest);
        number.starts_with(|character: char| character.is_ascii_digit())
    });
    after.then(|| "name no ticket; say the reason itself".to_owned())
}

/// Whether the path stands alone, not as a part of a longer one (a folder of that name in another) or of a URL.
fn begins_a_word(line: &str, path: &str) -> bool {
    line.match_indices(path).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        before.is_none_or(|character| !character.is_ascii_alphanumeric() && !"._-}/*<>".contains(character))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_of_one_machine_are_objected_to() {
        let (path, ticket) = (["/ro", "ot/project"].concat(), ["see iss", "ue #12"].concat());
        let cases = [
            (format!("cd {path}"), true),
            (format!("\"{path}\""), true),
            (format!("https://example.org{path}"), false),
            (ticket, true),
            ("the issue is known".to_owned(), false),
            (["npm from registry.npm", "js.org"].concat(), true),
        ];
        for (line, expected) in cases {
            assert_eq!(objection(&line).is_some(), expected, "{line}");
        }
    }
}
