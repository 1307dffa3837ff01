//! What belongs to a plugin, and that every misbehaving guest is put to a test.

use super::{Finding, Tree};

const HOSTILE: &str = "tests/hostile/";
/// Under there is what guests share, no guest.
const SHARED: &str = "common";

pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let mut found = Vec::new();
    for plugin in tree.folders("plugins/") {
        let manifest = format!("plugins/{plugin}/Cargo.toml");
        for (part, what) in [("README.md", "says how to use it"), ("fixtures", "holds messages to test it with")] {
            if !tree.has(&format!("plugins/{plugin}/{part}")) {
                found.push(Finding::new(&manifest, 1, format!("the plugin has no {part} that {what}")));
            }
        }
    }
    for guest in guests(tree) {
        let quoted = format!("\"{guest}\"");
        let file_name = format!("{guest}.wasm");
        let in_tests = tree.under("tests/src/", ".rs").chain(tree.under("tests/tests/", ".rs"));
        let mut tests = in_tests.chain(tree.under("host/", ".rs"));
        if !tests.any(|file| file.text.contains(&quoted) || file.text.contains(&file_name)) {
            found.push(Finding::new(
                &format!("{HOSTILE}{guest}"),
                1,
                "no test runs this guest; write one that names it",
            ));
        }
    }
    found
}

/// Crates under tests/hostile, and files there that only pretend to be plugins.
fn guests(tree: &Tree) -> Vec<&str> {
    let crates = tree.folders(HOSTILE).into_iter().filter(|name| *name != SHARED && !name.starts_with('.'));
    let impostors = tree.under(HOSTILE, ".txt").filter_map(|file| {
        let name = file.path.strip_prefix(HOSTILE)?.strip_suffix(".txt")?;
        (!name.contains('/')).then_some(name)
    });
    crates.chain(impostors).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plugins_are_whole_and_guests_are_tested() {
        let tree = Tree::of(&[
            ("plugins/moonex/Cargo.toml", ""),
            ("plugins/moonex/README.md", ""),
            ("tests/hostile/common/src/lib.rs", ""),
            ("tests/hostile/loops/src/lib.rs", ""),
            ("tests/hostile/not-wasm.txt", ""),
            ("tests/hostile/traps/src/lib.rs", ""),
            ("tests/src/hostile.rs", "//! run(\"traps\") and not-wasm.wasm\n"),
        ]);
        let found: Vec<String> = check(&tree).iter().map(Finding::to_string).collect();
        let expected = [
            "plugins/moonex/Cargo.toml:1: the plugin has no fixtures that holds messages to test it with",
            "tests/hostile/loops:1: no test runs this guest; write one that names it",
        ];
        assert_eq!(found, expected);
    }
}
