//! No exchange is named in the host, the SDK or the contract: a new one must need no change there. Files of tests alone may
//! name some, since they load the examples of config/.

use super::{Finding, Tree};

/// Where no exchange is named.
const NAMELESS: [&str; 3] = ["host/", "sdk/", "wit/"];

pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let exchanges = tree.folders("plugins/");
    let mut found = Vec::new();
    let nameless = |path: &str| NAMELESS.iter().any(|folder| path.starts_with(folder)) && !is_test(path);
    for file in tree.files.iter().filter(|file| nameless(&file.path)) {
        for (index, line) in file.text.lines().enumerate() {
            let line = line.to_ascii_lowercase();
            for exchange in exchanges.iter().filter(|exchange| line.contains(&exchange.to_ascii_lowercase())) {
                let sentence = format!("name no exchange here ({exchange}); plugins know them, this does not");
                found.push(Finding::new(&file.path, index + 1, sentence));
            }
        }
    }
    found
}

/// Whether the file holds nothing but tests.
fn is_test(path: &str) -> bool {
    path.ends_with("/tests.rs") || path.contains("/tests/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_exchange_in_the_host_is_found_with_its_line() {
        let tree = Tree::of(&[
            ("host/src/feed.rs", "//! Feeds.\n// As Moonex does it.\n"),
            ("host/src/feed/tests.rs", "//! Tests.\n// moonex\n"),
            ("host/tests/cli.rs", "//! Tests.\n// moonex\n"),
            ("plugins/moonex/src/lib.rs", "//! Moonex.\n"),
            ("sim/src/moonex.rs", "//! Moonex.\n"),
        ]);
        let found: Vec<String> = check(&tree).iter().map(Finding::to_string).collect();
        assert_eq!(found, ["host/src/feed.rs:2: name no exchange here (moonex); plugins know them, this does not"]);
    }
}
