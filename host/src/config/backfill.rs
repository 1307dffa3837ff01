//! `[backfill]`: asking exchanges for trades that were missed.

use std::time::Duration;

use super::section::Section;

/// `[backfill]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BackfillConfig {
    /// Whether exchanges are asked at all; gaps are found and listed in any case. Default true.
    pub enabled: bool,
    /// How long a gap may close by itself before it counts as one. Default 2 s.
    pub patience: Duration,
    /// How long a gap is asked for again and again before it is listed as missing. Default 24 h.
    pub give_up: Duration,
}

impl BackfillConfig {
    pub(super) fn read(mut section: Section<'_, '_>) -> Self {
        let config = Self {
            enabled: section.flag_or("enabled", true),
            patience: Duration::from_millis(section.number("patience_ms", 2_000, 0..=600_000).into()),
            give_up: Duration::from_secs(section.number("give_up_seconds", 86_400, 1..=2_592_000).into()),
        };
        section.finish();
        config
    }
}
