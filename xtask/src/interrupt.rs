//! Ctrl-C and SIGTERM: asked once, a task ends in order; asked twice, at once.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use nix::sys::signal::{SigSet, Signal};

static ASKED: AtomicBool = AtomicBool::new(false);

/// Exit code of a process that was interrupted.
const INTERRUPTED: i32 = 130;

/// Takes over both signals for this process. To be called before any thread is started, since threads inherit it.
///
/// Children are not affected: they begin with no signal blocked, and servers are killed by the kernel when we end.
pub fn listen() -> Result<()> {
    let mut signals = SigSet::empty();
    signals.add(Signal::SIGINT);
    signals.add(Signal::SIGTERM);
    signals.thread_block().context("signals cannot be blocked")?;
    std::thread::spawn(move || {
        while let Ok(_signal) = signals.wait() {
            if ASKED.swap(true, Ordering::SeqCst) {
                eprintln!("\nasked twice: everything is ended at once");
                std::process::exit(INTERRUPTED);
            }
        }
    });
    Ok(())
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
