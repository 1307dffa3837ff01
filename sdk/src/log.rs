//! Lines for the host's log.

pub use crate::bindings::tapedeck::plugin::types::Level;

/// Writes a line to the host's log, under the plugin's name. The host cuts long lines and drops lines that are too many.
/// Natively, in tests, it goes to standard error.
pub fn log(level: Level, message: &str) {
    #[cfg(target_arch = "wasm32")]
    crate::bindings::tapedeck::plugin::host::log(level, message);
    #[cfg(not(target_arch = "wasm32"))]
    eprintln!("plugin {level:?}: {message}");
}
