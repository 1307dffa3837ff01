//! What a session is doing, for `/ready` to see.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};

/// What a session is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum SessionState {
    /// Planning or dialling.
    Connecting,
    /// Connected.
    Live,
    /// Waiting before the next attempt.
    BackingOff,
    /// Ended for good.
    Stopped,
}

impl SessionState {
    const ALL: [Self; 4] = [Self::Connecting, Self::Live, Self::BackingOff, Self::Stopped];

    /// In words.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Connecting => "connecting",
            Self::Live => "live",
            Self::BackingOff => "backing off",
            Self::Stopped => "stopped",
        }
    }
}

/// A session's state, shared with those who watch it.
#[derive(Clone, Debug, Default)]
pub struct SessionStatus {
    cells: Arc<Cells>,
}

#[derive(Debug, Default)]
struct Cells {
    state: AtomicU8,
    was_live: AtomicBool,
}

impl SessionStatus {
    /// What the session is doing now.
    pub fn get(&self) -> SessionState {
        let index = usize::from(self.cells.state.load(Ordering::Relaxed));
        SessionState::ALL.get(index).copied().unwrap_or(SessionState::Connecting)
    }

    pub(super) fn set(&self, state: SessionState) {
        match state {
            SessionState::Connecting => self.cells.was_live.store(false, Ordering::Relaxed),
            SessionState::Live => self.cells.was_live.store(true, Ordering::Relaxed),
            SessionState::BackingOff | SessionState::Stopped => {}
        }
        self.cells.state.store(state as u8, Ordering::Relaxed);
    }

    /// Whether the newest attempt got as far as a connection.
    pub(super) fn was_live(&self) -> bool {
        self.cells.was_live.load(Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_state_is_seen_as_it_was_set() {
        let status = SessionStatus::default();
        for state in SessionState::ALL {
            status.set(state);
            assert_eq!(status.get(), state);
        }
        assert!(status.was_live(), "backing off does not forget that it was live");
        status.set(SessionState::Connecting);
        assert!(!status.was_live());
    }
}
