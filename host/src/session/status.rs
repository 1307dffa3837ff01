//! What a session is doing, for `/ready` to see.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

/// What a session is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum SessionState {
    /// Planning, waiting for its turn, or dialling.
    Connecting,
    /// Connected; the exchange has not answered for every market yet.
    Subscribing,
    /// Connected, and every market answered for.
    Live,
    /// Live, and a second connection comes up in the place of the first.
    Rotating,
    /// Waiting before the next attempt.
    BackingOff,
    /// Ended for good.
    Stopped,
}

impl SessionState {
    const ALL: [Self; 6] =
        [Self::Connecting, Self::Subscribing, Self::Live, Self::Rotating, Self::BackingOff, Self::Stopped];

    /// In words.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Connecting => "connecting",
            Self::Subscribing => "subscribing",
            Self::Live => "live",
            Self::Rotating => "rotating",
            Self::BackingOff => "backing off",
            Self::Stopped => "stopped",
        }
    }

    /// Whether trades of every market that the exchange serves come.
    pub fn is_live(self) -> bool {
        matches!(self, Self::Live | Self::Rotating)
    }
}

/// A session's state, shared with those who watch it.
#[derive(Clone, Debug, Default)]
pub struct SessionStatus {
    state: Arc<AtomicU8>,
}

impl SessionStatus {
    /// What the session is doing now.
    pub fn get(&self) -> SessionState {
        let index = usize::from(self.state.load(Ordering::Relaxed));
        SessionState::ALL.get(index).copied().unwrap_or(SessionState::Connecting)
    }

    pub(super) fn set(&self, state: SessionState) {
        self.state.store(state as u8, Ordering::Relaxed);
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
    }
}
