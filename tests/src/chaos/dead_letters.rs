//! Whether damaged frames are kept: none that is not damaged, and in peace every one of them.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use tapedeck_sim::FaultRates;

use super::plan::Venue;
use super::stage::Stage;
use super::topics;
use crate::wait;

/// How long a dead letter may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// How long frames are damaged in peace.
const DAMAGE: Duration = Duration::from_secs(3);

/// What was found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(missing_docs)]
pub struct Letters {
    /// Damaged frames that were sent among kills, when some died in sockets and in killed hosts.
    pub sent_in_chaos: u64,
    pub kept_in_chaos: u64,
    /// Damaged frames that were sent in peace.
    pub sent_in_peace: u64,
    pub kept_in_peace: u64,
}

/// Compares dead letters with damaged frames. In peace each damaged frame must be there.
pub(super) fn audit(stage: &mut Stage<'_, '_>) -> Result<Letters> {
    let venues = [Venue::Binance, Venue::Kraken];
    let mut letters = Letters::default();
    for venue in venues {
        let sent = damaged(stage, venue);
        let kept = kept(stage, venue)?;
        ensure!(
            kept <= sent,
            "{}: {kept} dead letters of {sent} damaged frames: good ones are among them",
            venue.name()
        );
        letters.sent_in_chaos += sent;
        letters.kept_in_chaos += kept;
        // One frame in ten, so that there are some at low rates too.
        stage.exchange(venue).simulator().set_rates(FaultRates { malformed: 100_000, ..FaultRates::default() });
    }
    stage.pass(DAMAGE)?;
    for venue in venues {
        stage.exchange(venue).simulator().set_rates(FaultRates::default());
    }
    letters.sent_in_peace = venues.iter().map(|venue| damaged(stage, *venue)).sum::<u64>() - letters.sent_in_chaos;
    let mut kept_by_now = 0;
    let waited = wait::until_true("every damaged frame among the dead letters", PATIENCE, || {
        kept_by_now = venues.iter().map(|venue| kept(stage, *venue)).sum::<Result<u64>>()?;
        Ok(kept_by_now - letters.kept_in_chaos >= letters.sent_in_peace)
    });
    letters.kept_in_peace = kept_by_now - letters.kept_in_chaos;
    waited.with_context(|| format!("{letters:?}"))?;
    ensure!(letters.kept_in_peace == letters.sent_in_peace, "more dead letters than damaged frames: {letters:?}");
    Ok(letters)
}

fn damaged(stage: &Stage<'_, '_>, venue: Venue) -> u64 {
    stage.exchange(venue).status().counters.frames_malformed
}

fn kept(stage: &Stage<'_, '_>, venue: Venue) -> Result<u64> {
    topics::count(&stage.stack().kafka, stage.pipeline().dead_letters(venue.name()).name())
}
