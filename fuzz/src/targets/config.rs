//! The configuration's reader: whatever the text, it is a configuration or a list of problems that is fit to print.

use std::path::Path;

use tapedeck::config::Config;

use super::is_obeyed;

pub(super) fn run(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    // A file that a text names is read; what a machine has of them is not what is to be found out here.
    if ["file", "env"].iter().any(|key| text.contains(key)) {
        return;
    }
    match Config::parse(text, Path::new("fuzz.toml")) {
        Ok(config) => {
            assert!(!config.feeds.is_empty() && config.feeds.iter().all(|feed| !feed.markets.is_empty()));
            assert!(
                config.feeds.iter().flat_map(|feed| &feed.markets).all(|market| !market.name.chars().any(is_obeyed))
            );
        }
        Err(errors) => {
            let message = errors.to_string();
            assert!(!message.is_empty());
            let obeyed = message.chars().find(|character| is_obeyed(*character) && *character != '\n');
            assert_eq!(obeyed, None, "a message would do something to a terminal: {message:?}");
        }
    }
}
