//! Simulated time: tokio's paused clock, with a time of day.

use std::cell::Cell;

use tokio::time::Instant;

/// When every simulated day begins, µs since 1970 UTC.
pub(super) const DAWN_US: i64 = 1_900_000_000_000_000;

thread_local! {
    static BEGAN: Cell<Option<Instant>> = const { Cell::new(None) };
}

/// Makes this thread's time of day follow tokio's clock for as long as it lives.
pub(super) struct Clock(());

impl Clock {
    pub(super) fn start() -> Self {
        BEGAN.set(Some(Instant::now()));
        Self(())
    }
}

impl Drop for Clock {
    fn drop(&mut self) {
        BEGAN.set(None);
    }
}

/// Whether this thread's time is simulated.
pub(crate) fn is_on() -> bool {
    BEGAN.get().is_some()
}

/// This thread's simulated time of day, if it has one, µs since 1970 UTC.
pub(crate) fn now_us() -> Option<i64> {
    let since = BEGAN.get()?.elapsed().as_micros();
    Some(DAWN_US + i64::try_from(since).unwrap_or(i64::MAX - DAWN_US))
}
