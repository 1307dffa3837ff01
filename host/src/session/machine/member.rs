//! One connection, as the state machine of its session sees it.

use std::time::Duration;

use tokio::time::Instant;

/// What the exchange serves a connection with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::session) struct Served {
    /// Markets whose trades come, as far as is known.
    pub(in crate::session) markets: u32,
    /// Markets that the exchange refused, or never answered about.
    pub(in crate::session) missing: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    /// Waits for its turn, dials, or shakes hands.
    Opening,
    /// Is up; not every market is answered for.
    Subscribing,
    /// Delivers, since then.
    Live(Instant),
    /// Was told to end, and has not yet.
    Closing,
}

/// A connection.
#[derive(Debug)]
pub(super) struct Member {
    pub(super) id: u64,
    pub(super) phase: Phase,
    pub(super) served: Served,
    /// When it is to be replaced on account of its age.
    pub(super) rotate_at: Option<Instant>,
    /// When the exchange asked for its replacement.
    pub(super) asked_at: Option<Instant>,
    /// When the markets that it lacks are asked for again, by a connection of their own.
    pub(super) try_at: Option<Instant>,
}

impl Member {
    pub(super) fn new(id: u64) -> Self {
        let (served, phase) = (Served::default(), Phase::Opening);
        Self { id, phase, served, rotate_at: None, asked_at: None, try_at: None }
    }

    pub(super) fn is_closing(&self) -> bool {
        self.phase == Phase::Closing
    }

    /// When it must be replaced by one that is as good.
    pub(super) fn must_go_at(&self) -> Option<Instant> {
        [self.asked_at, self.rotate_at].into_iter().flatten().min()
    }

    /// When a successor is wanted, for whatever reason.
    pub(super) fn wanted(&self) -> Option<Instant> {
        match self.phase {
            Phase::Opening | Phase::Closing => None,
            Phase::Subscribing | Phase::Live(_) => [self.must_go_at(), self.try_at].into_iter().flatten().min(),
        }
    }

    /// Whether it delivered for so long that the failures before it no longer count.
    pub(super) fn lasted(&self, now: Instant, settled: Duration) -> bool {
        matches!(self.phase, Phase::Live(since) if now.saturating_duration_since(since) > settled)
    }
}
