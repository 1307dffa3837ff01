//! Room on the disk, asked for before a fetch rather than found missing in the middle of one.

use std::path::Path;

use anyhow::{Result, bail};

/// Fails with a sentence when fewer than `bytes` are free where `folder` is. Unknown room counts as enough.
pub(crate) fn need(folder: &Path, bytes: u64, what: &str) -> Result<()> {
    let Ok(disk) = nix::sys::statvfs::statvfs(folder) else { return Ok(()) };
    let free = disk.blocks_available().saturating_mul(disk.fragment_size());
    if free < bytes {
        bail!(
            "{what} needs {} MB of free disk, and {} has {} MB: free some, or set TAPEDECK_HOME to a folder on another disk",
            bytes / 1_000_000,
            folder.display(),
            free / 1_000_000
        );
    }
    Ok(())
}
