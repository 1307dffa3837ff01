//! The fuzzer: one target, which the environment names, and libFuzzer's own arguments. `cargo xtask fuzz` starts it.
#![no_main]

use std::sync::LazyLock;

static RUN: LazyLock<fn(&[u8])> = LazyLock::new(|| {
    let name = std::env::var("TAPEDECK_FUZZ_TARGET").unwrap_or_default();
    match tapedeck_fuzz::TARGETS.iter().find(|target| target.name == name) {
        Some(target) => target.run,
        None => panic!("TAPEDECK_FUZZ_TARGET names no target: {name:?}"),
    }
});

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| RUN(bytes));
