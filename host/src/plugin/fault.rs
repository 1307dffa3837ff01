//! What it is called when a plugin crashes or runs into a limit, in few words.

use std::fmt;

use wasmtime::{Trap, WasmBacktrace};

use super::text::bounded_escaped;

/// A call that did not come back with an answer. The instance that it happened in is of no more use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Whether it crashed or was stopped.
    pub kind: FaultKind,
    /// What happened, with the innermost functions and what the plugin logged last.
    pub reason: String,
}

/// Whether a plugin crashed or was stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FaultKind {
    /// It crashed.
    Trap,
    /// It ran out of time, memory or stack.
    Limit,
}

impl fmt::Display for Fault {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.reason)
    }
}

/// What the host knows of a failed call besides the error.
pub(super) struct FaultContext<'a> {
    /// The limit of a call, ms.
    pub(super) call_ms: u128,
    /// The limit of memory, bytes.
    pub(super) memory_bytes: usize,
    /// Whether the plugin was refused memory.
    pub(super) memory_refused: bool,
    /// The last error that the plugin logged during the call.
    pub(super) last_words: Option<&'a str>,
}

impl Fault {
    /// The most bytes of a reason: it goes into a header of the dead letter.
    const MAX_REASON: usize = 1024;
    /// How many of the innermost functions are named.
    const MAX_FRAMES: usize = 6;

    /// A fault that the host found by itself.
    pub(super) fn trap(reason: &str) -> Self {
        Self { kind: FaultKind::Trap, reason: bounded_escaped(reason, Self::MAX_REASON) }
    }

    /// Says in words what wasmtime's error means.
    pub(super) fn of(error: &wasmtime::Error, context: &FaultContext<'_>) -> Self {
        let trap = error.downcast_ref::<Trap>();
        let (kind, mut reason) = match trap {
            Some(Trap::Interrupt) => {
                (FaultKind::Limit, format!("ran for longer than the {} ms that a call may take", context.call_ms))
            }
            Some(Trap::StackOverflow) => (FaultKind::Limit, "ran out of stack".to_owned()),
            Some(_) if context.memory_refused => {
                (FaultKind::Limit, format!("wanted more memory than its {} MiB", context.memory_bytes >> 20))
            }
            Some(Trap::UnreachableCodeReached) => {
                (FaultKind::Trap, "crashed (unreachable code, as of a panic)".to_owned())
            }
            Some(trap) => (FaultKind::Trap, format!("crashed ({trap})")),
            // The innermost cause says it best: "string content out-of-bounds", "unexpected discriminant: 7".
            None if is_hostcall_limit(error) => {
                (FaultKind::Limit, "gave a larger answer than its memory limit allows".to_owned())
            }
            None => (FaultKind::Trap, format!("gave an answer that can't be read ({})", error.root_cause())),
        };
        if let Some(words) = context.last_words {
            reason.push_str("; it logged: ");
            reason.push_str(words);
        }
        if let Some(backtrace) = error.downcast_ref::<WasmBacktrace>() {
            reason.push_str(&innermost(backtrace));
        }
        Self { kind, reason: bounded_escaped(&reason, Self::MAX_REASON) }
    }
}

/// Wasmtime gives this error no type of its own.
fn is_hostcall_limit(error: &wasmtime::Error) -> bool {
    error.chain().any(|cause| cause.to_string().contains("fuel"))
}

/// The innermost functions, ` in a < b < c`; nothing when there is none.
fn innermost(backtrace: &WasmBacktrace) -> String {
    let names: Vec<String> = backtrace
        .frames()
        .iter()
        .flat_map(|frame| {
            // Where there is debug information, inlined functions are symbols of their own.
            let inlined: Vec<String> = frame
                .symbols()
                .iter()
                .filter_map(|symbol| {
                    let name = symbol.name()?;
                    let line = symbol.line().map(|line| format!(":{line}")).unwrap_or_default();
                    Some(format!("{name}{line}"))
                })
                .collect();
            if inlined.is_empty() { vec![name_of(frame)] } else { inlined }
        })
        .take(Fault::MAX_FRAMES)
        .map(|name| bounded_escaped(&name, 120))
        .collect();
    if names.is_empty() { String::new() } else { format!("; in {}", names.join(" < ")) }
}

fn name_of(frame: &wasmtime::FrameInfo) -> String {
    frame.func_name().map_or_else(
        || format!("function {} at {:#x}", frame.func_index(), frame.module_offset().unwrap_or_default()),
        // Without the hash at the end, which no reader wants.
        |name| format!("{:#}", rustc_demangle::demangle(name)),
    )
}
