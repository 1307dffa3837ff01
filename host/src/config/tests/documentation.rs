//! The users' documentation and the commented example say what the code does: every key, its default, an example.

use std::collections::{BTreeMap, BTreeSet};

use super::*;
use crate::config::document::Document;

/// A row of a table in docs/configuration.md.
struct Row {
    kind: String,
    key: String,
    default: String,
    example: String,
}

/// The keys that the code asks for, as `(section, key)`; without the sections themselves.
fn known() -> BTreeSet<(String, String)> {
    let text = fs::read_to_string(folder("example.toml")).unwrap();
    let (document, table) = Document::read(&text, Path::new("example.toml")).unwrap();
    assert!(Config::read(&document, table.get_ref()).is_some());
    let kinds: BTreeMap<_, _> = document.known();
    let pairs = kinds.iter().flat_map(|(kind, keys)| keys.iter().map(|key| (kind.to_string(), key.to_string())));
    pairs.filter(|(_, key)| !kinds.contains_key(key.as_str())).collect()
}

fn rows() -> Vec<Row> {
    let text = fs::read_to_string(folder("../docs/configuration.md")).unwrap();
    let (mut rows, mut kind) = (Vec::new(), String::new());
    for line in text.lines() {
        if let Some(heading) = line.strip_prefix("## ") {
            kind = heading.trim_matches(['`', '[', ']']).to_owned();
        }
        let cells: Vec<&str> = line.split('|').map(|cell| cell.trim().trim_matches('`')).collect();
        let ["", key, default, example, what, ""] = cells[..] else { continue };
        if !line.starts_with("| `") {
            continue;
        }
        assert!(what.len() > 20, "{key} is not explained");
        let kind = if kind == "The top of the file" { String::new() } else { kind.clone() };
        rows.push(Row { kind, key: key.to_owned(), default: default.to_owned(), example: example.to_owned() });
    }
    rows
}

/// The smallest configuration with one line more, or in place of the line with the same key.
fn with(kind: &str, key: &str, value: Option<&str>) -> String {
    let line = value.map(|value| format!("{key} = {value}\n")).unwrap_or_default();
    match kind {
        "" => format!("{line}{}", SMALLEST.replace("version = 1\n", "")),
        "feed" => {
            let rest = SMALLEST.lines().filter(|other| !other.starts_with(&format!("{key} ")));
            rest.map(|line| format!("{line}\n")).collect::<String>() + &line
        }
        _ => format!("{SMALLEST}[{kind}]\n{line}"),
    }
}

/// A configuration without its places, which move with the lines.
fn without_places(mut config: Config) -> Config {
    for feed in &mut config.feeds {
        feed.places = FeedPlaces::default();
    }
    config
}

#[test]
fn every_key_is_documented_and_no_other() {
    let documented: BTreeSet<_> = rows().into_iter().map(|row| (row.kind, row.key)).collect();
    assert_eq!(documented, known());
}

#[test]
fn documented_defaults_are_the_defaults() {
    for Row { kind, key, default, .. } in rows() {
        let without = parse(&with(&kind, &key, None));
        match default.as_str() {
            "required" => {
                let message = without.unwrap_err().to_string();
                assert!(message.contains(&format!("{key}`: is missing")), "{message}");
            }
            "–" => assert!(without.is_ok(), "{kind}.{key}"),
            value => {
                let with = parse(&with(&kind, &key, Some(value))).unwrap();
                assert_eq!(without_places(without.unwrap()), without_places(with), "{kind}.{key}");
            }
        }
    }
}

#[test]
fn documented_examples_are_good() {
    for Row { kind, key, example, .. } in rows() {
        let outside = ["cannot read the file", "is not set; set it"];
        match parse(&with(&kind, &key, Some(&example))) {
            Ok(_) => {}
            Err(errors) => {
                let text = errors.to_string();
                assert!(errors.problems.len() == 1 && outside.iter().any(|part| text.contains(part)), "{text}");
            }
        }
    }
}

#[test]
fn the_commented_example_has_every_key() {
    let text = fs::read_to_string(folder("example.toml")).unwrap();
    let (mut there, mut kind) = (BTreeSet::new(), String::new());
    for line in text.lines() {
        // `#key = …` is a setting that is off; `# …` is prose.
        let line = line.strip_prefix('#').unwrap_or(line);
        if line.starts_with('[') {
            kind = line.trim_matches(['[', ']']).to_owned();
        } else if let Some((key, _)) = line.split_once(" = ").filter(|(key, _)| !key.contains(' ')) {
            there.insert((kind.clone(), key.to_owned()));
        }
    }
    assert_eq!(there, known());
}
