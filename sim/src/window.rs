//! How many of something in a stretch of time.

use std::collections::VecDeque;
use std::time::Duration;

use tokio::time::Instant;

/// Counts what happened lately, up to a limit.
pub(crate) struct Window {
    times: VecDeque<Instant>,
    limit: usize,
    length: Duration,
}

impl Window {
    /// At most `limit` in any stretch of `length`; 0 does not limit.
    pub(crate) fn new(limit: usize, length: Duration) -> Self {
        Self { times: VecDeque::new(), limit, length }
    }

    /// Counts one more; false if that is one too many.
    pub(crate) fn admit(&mut self, now: Instant) -> bool {
        if self.limit == 0 {
            return true;
        }
        while self.times.front().is_some_and(|time| *time + self.length <= now) {
            self.times.pop_front();
        }
        if self.times.len() >= self.limit {
            return false;
        }
        self.times.push_back(now);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_slides() {
        let start = Instant::now();
        let at = |milliseconds| start + Duration::from_millis(milliseconds);
        let mut window = Window::new(2, Duration::from_secs(1));
        let admitted = [0, 600, 900, 1_000, 1_500, 1_600].map(|time| window.admit(at(time)));
        assert_eq!(admitted, [true, true, false, true, false, true]);
        let mut unlimited = Window::new(0, Duration::from_secs(1));
        assert!((0..100).all(|_| unlimited.admit(start)));
    }
}
