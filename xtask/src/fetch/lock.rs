//! A file lock, so that two runs do not fetch the same thing into the same folder at once.

use std::fs::{File, OpenOptions, TryLockError};
use std::path::Path;

use anyhow::{Context, Result, bail};

/// Holds the lock until it is dropped. The kernel releases it when the process dies, however it dies.
#[derive(Debug)]
pub(crate) struct Lock {
    _file: File,
}

impl Lock {
    /// Waits for the lock, and says so in one line if somebody else holds it.
    pub(crate) fn take(path: &Path) -> Result<Self> {
        let file = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .open(path)
            .with_context(|| format!("the lock file {} cannot be opened", path.display()))?;
        match file.try_lock() {
            Ok(()) => return Ok(Self { _file: file }),
            Err(TryLockError::WouldBlock) => eprintln!("waiting for another run that is fetching the local stack …"),
            Err(TryLockError::Error(error)) => bail!("the lock file {} cannot be locked: {error}", path.display()),
        }
        file.lock().with_context(|| format!("the lock file {} cannot be locked", path.display()))?;
        Ok(Self { _file: file })
    }
}
