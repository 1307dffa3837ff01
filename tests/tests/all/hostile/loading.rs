//! Files that must not become plugins, and what is said of them.

use std::collections::BTreeMap;
use std::time::Instant;

use tapedeck::plugin::{Plugin, PluginFolder, Runtime, RuntimeSettings};

use super::{CALL_TIME, MEMORY_BYTES, folder, runtime};

/// Each guest, and what the message of the error says beside the file's name; nothing for one that loads. A guest that is
/// missing here fails the test.
const GUESTS: [(&str, &[&str]); 15] = [
    ("core-module", &["is a core module, not a component", "cargo xtask plugins"]),
    ("describe-lies", &["its name is `../x`"]),
    ("describe-loops", &["description", "longer than the 400 ms"]),
    ("describe-traps", &["description", "crashed"]),
    ("eats-memory", &[]),
    ("imports-foreign", &["imports `acme:clock/now@1.0.0`"]),
    ("imports-wasi", &[]),
    ("loops", &[]),
    ("nonsense", &[]),
    ("not-wasm", &["is not WebAssembly"]),
    ("open-lies", &[]),
    ("open-loops", &[]),
    ("repaired", &[]),
    ("traps", &[]),
    ("wrong-version", &["tapedeck:plugin/plugin@9.0.0", "supports tapedeck:plugin/plugin 1.0.x", "update Tapedeck"]),
];

#[test]
fn each_file_of_a_folder_is_loaded_or_named_with_a_reason() {
    let loaded = PluginFolder::load(runtime(), folder()).unwrap();
    let stem = |file: &std::path::Path| file.file_stem().unwrap().to_str().unwrap().to_owned();
    let mut outcomes: BTreeMap<String, Option<String>> =
        loaded.plugins().iter().map(|plugin| (stem(plugin.file()), None)).collect();
    outcomes.extend(loaded.errors().iter().map(|error| (stem(error.path()), Some(error.to_string()))));

    let expected: BTreeMap<&str, &[&str]> = GUESTS.into();
    assert_eq!(outcomes.keys().collect::<Vec<_>>(), expected.keys().collect::<Vec<_>>(), "guests and tests differ");
    for (name, parts) in expected {
        match &outcomes[name] {
            None => assert!(parts.is_empty(), "{name} was loaded"),
            Some(sentence) => {
                assert!(!parts.is_empty(), "{name}: {sentence}");
                for part in [&[name], parts].concat() {
                    assert!(sentence.contains(part), "no {part:?} in: {sentence}");
                }
            }
        }
    }
    assert_eq!(loaded.find("traps").unwrap().description().exchange, "traps");
    assert!(loaded.find("describe_lies").is_none());
}

#[test]
fn two_files_with_one_name_are_one_plugin_and_an_error() {
    let place = tempfile::tempdir().unwrap();
    for copy in ["a.wasm", "b.wasm"] {
        std::fs::copy(folder().join("traps.wasm"), place.path().join(copy)).unwrap();
    }
    let loaded = PluginFolder::load(runtime(), place.path()).unwrap();
    assert_eq!(loaded.plugins().len(), 1);
    let sentence = loaded.errors()[0].to_string();
    assert!(sentence.contains("b.wasm") && sentence.contains("a.wasm") && sentence.contains("`traps`"), "{sentence}");
}

#[test]
fn compiled_code_is_kept_in_a_closed_folder() {
    use std::os::unix::fs::PermissionsExt as _;
    let place = tempfile::tempdir().unwrap();
    let cache = place.path().join("cache");
    let load = || {
        let settings =
            RuntimeSettings { memory_bytes: MEMORY_BYTES, call_time: CALL_TIME, cache_folder: Some(cache.clone()) };
        let runtime = Runtime::new(&settings).unwrap();
        let began = Instant::now();
        Plugin::load(&runtime, &folder().join("traps.wasm")).unwrap();
        began.elapsed()
    };
    let (compiled, kept) = (load(), load());
    assert!(kept < compiled, "the first load took {compiled:?}, the second {kept:?}");
    assert_eq!(std::fs::metadata(&cache).unwrap().permissions().mode() & 0o777, 0o700);
}

#[test]
fn a_plugin_is_described_for_a_person() {
    let page = tapedeck::plugin::inspect::inspect(&folder().join("traps.wasm")).unwrap();
    for part in [
        "traps 0.1.0",
        "contract      1.0.0 (supported: tapedeck:plugin/plugin 1.0.x)",
        "tapedeck:plugin/plugin@1.0.0",
        "trade ids     dense",
        "hosts         hostile.invalid",
        "connects      1000 in 1 s",
        "lifetime      not limited",
        "REST weight   no backfill",
    ] {
        assert!(page.contains(part), "no {part:?} in\n{page}");
    }
}
