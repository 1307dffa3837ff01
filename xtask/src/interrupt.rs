//! Ctrl-C and SIGTERM: asked once, a task ends in order; asked twice, at once.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use nix::libc::{_exit, STDERR_FILENO, c_int, write};
use nix::sys::signal::{SaFlags, SigAction, SigHandler, SigSet, Signal, sigaction};

static ASKED: AtomicBool = AtomicBool::new(false);

/// Exit code of a process that was interrupted.
const INTERRUPTED: c_int = 130;

/// Takes over both signals for this process.
///
/// By a handler, not by blocking them: children inherit what is blocked, and could then not be stopped by SIGTERM.
pub fn listen() -> Result<()> {
    let action = SigAction::new(SigHandler::Handler(on_signal), SaFlags::SA_RESTART, SigSet::empty());
    for signal in [Signal::SIGINT, Signal::SIGTERM] {
        // SAFETY: the handler touches an atomic and makes system calls that may be made in a handler.
        unsafe { sigaction(signal, &action) }.with_context(|| format!("{signal} cannot be handled"))?;
    }
    Ok(())
}

extern "C" fn on_signal(_signal: c_int) {
    if ASKED.swap(true, Ordering::SeqCst) {
        let words = b"\nasked twice: everything is ended at once\n";
        // SAFETY: both may be called in a signal handler. Our servers are killed by the kernel when we end.
        unsafe {
            write(STDERR_FILENO, words.as_ptr().cast(), words.len());
            _exit(INTERRUPTED);
        }
    }
}

/// Whether somebody has asked to end.
pub fn asked() -> bool {
    ASKED.load(Ordering::SeqCst)
}

/// Sleeps, but no longer than until somebody asks to end.
pub fn sleep(duration: Duration) {
    let until = Instant::now() + duration;
    while !asked() {
        let left = until.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return;
        }
        std::thread::sleep(left.min(Duration::from_millis(50)));
    }
}
