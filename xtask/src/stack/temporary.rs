//! Temporary folders of stacks. One whose process was killed is removed by the next that starts.

use std::path::Path;

use anyhow::{Context, Result};
use tempfile::TempDir;

use super::usage;
use crate::home::home;

/// A new folder, named for this process so that others know when it is of no use any more.
pub(crate) fn folder() -> Result<TempDir> {
    let parent = home().join("run");
    std::fs::create_dir_all(&parent).with_context(|| format!("the folder {} cannot be made", parent.display()))?;
    remove_orphans(&parent);
    let pid = std::process::id();
    let prefix = format!("{pid}-{}-", usage::started(pid).unwrap_or(0));
    let parent = parent.canonicalize()?;
    tempfile::Builder::new()
        .prefix(&prefix)
        .tempdir_in(&parent)
        .with_context(|| format!("no folder can be made in {}; is the disk full?", parent.display()))
}

fn remove_orphans(parent: &Path) {
    let Ok(entries) = std::fs::read_dir(parent) else { return };
    for entry in entries.flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        let mut fields = name.split('-');
        let pid = fields.next().and_then(|pid| pid.parse::<u32>().ok());
        let start = fields.next().and_then(|start| start.parse::<u64>().ok());
        if let (Some(pid), Some(start)) = (pid, start)
            && usage::started(pid) != Some(start)
        {
            // Somebody else may be removing it as well; what stays only costs room.
            let _ = std::fs::remove_dir_all(entry.path());
        }
    }
}
