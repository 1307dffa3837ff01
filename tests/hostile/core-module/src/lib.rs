//! A module that was never made a component.

/// Something to export.
#[unsafe(no_mangle)]
pub extern "C" fn describe() -> i32 {
    42
}
