//! Why a request has no answer that is of use.

use std::time::Duration;

/// A request failed. It reads as a sentence that names the url without its query.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RestError {
    /// It may succeed later.
    #[error("{reason}")]
    Transient {
        /// What happened.
        reason: String,
        /// How long the exchange wants to be left alone, if it says.
        after: Option<Duration>,
    },
    /// It would fail again: the request leads where it may not go, or the answer is beyond a limit.
    #[error("{reason}")]
    Permanent {
        /// What happened.
        reason: String,
    },
}

impl RestError {
    pub(crate) fn transient(reason: String) -> Self {
        Self::Transient { reason, after: None }
    }

    pub(super) fn permanent(reason: String) -> Self {
        Self::Permanent { reason }
    }

    /// Whether another attempt makes sense.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        matches!(self, Self::Transient { .. })
    }

    /// The time that the exchange wants to be left alone, if it says.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Transient { after, .. } => *after,
            Self::Permanent { .. } => None,
        }
    }
}
