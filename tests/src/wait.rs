//! Waiting, always with an end.

use std::time::{Duration, Instant};

use anyhow::{Result, anyhow, bail};

/// Pause between two looks.
const PAUSE: Duration = Duration::from_millis(100);

/// Looks until `look` finds something.
///
/// # Errors
/// It did not within `patience`; the sentence has what was waited for, and what the last look failed with.
pub fn until<T>(what: &str, patience: Duration, mut look: impl FnMut() -> Result<Option<T>>) -> Result<T> {
    let deadline = Instant::now() + patience;
    loop {
        let looked = look();
        match looked {
            Ok(Some(found)) => return Ok(found),
            Ok(None) if Instant::now() < deadline => {}
            Err(_) if Instant::now() < deadline => {}
            Ok(None) => bail!("waited {} s in vain: {what}", patience.as_secs()),
            Err(error) => return Err(anyhow!("waited {} s in vain: {what}: {error:#}", patience.as_secs())),
        }
        std::thread::sleep(PAUSE);
    }
}

/// Looks until `look` says yes.
///
/// # Errors
/// As [`until`].
pub fn until_true(what: &str, patience: Duration, mut look: impl FnMut() -> Result<bool>) -> Result<()> {
    until(what, patience, || Ok(look()?.then_some(())))
}
