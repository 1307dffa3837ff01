//! The host's side of wit/v1, generated. Private: the rest of the host knows its own types only, so that another version
//! of the contract can stand beside this one.

#![allow(missing_docs, unreachable_pub, unused_variables, rust_2018_idioms, clippy::all, reason = "generated")]

wasmtime::component::bindgen!({
    path: "../wit/v1",
    world: "tapedeck-plugin",
    // Frames and response bodies are lowered from where they lie, without a copy of ours.
    ownership: Borrowing { duplicate_if_necessary: true },
});

/// The interface that a plugin exports.
pub const INTERFACE: &str = "tapedeck:plugin/plugin@1.0.0";
