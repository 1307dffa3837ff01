//! Kafka and ClickHouse for the tests.

use std::sync::OnceLock;

use anyhow::{Result, anyhow};
use xtask::stack::{Stack, StackOptions};

use crate::programs;

/// The servers that all tests share, started by the first that asks. They end with this process.
///
/// # Errors
/// They do not start; the sentence says why, or how their logs end.
pub fn shared() -> Result<&'static Stack> {
    static STACK: OnceLock<Result<Stack, String>> = OnceLock::new();
    let stack = STACK.get_or_init(|| own().map_err(|error| format!("{error:#}")));
    stack.as_ref().map_err(|reason| anyhow!("{reason}"))
}

/// Servers for one test that stops or kills them.
///
/// # Errors
/// As [`shared`].
pub fn own() -> Result<Stack> {
    // ClickHouse is started by the xtask binary.
    programs::folder()?;
    Stack::start(&StackOptions::default())
}
