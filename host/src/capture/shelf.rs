//! The segments that are closed, and the bound of them all.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use tracing::warn;

/// How a segment's file name ends.
pub(super) const EXTENSION: &str = "capture";

/// The closed segments of a folder, oldest first. File names begin with a time, so that they sort by age.
#[derive(Debug, Default)]
pub(super) struct Shelf {
    segments: BTreeMap<(String, PathBuf), u64>,
    bytes: u64,
}

impl Shelf {
    /// Counts what is in the folder already.
    pub(super) fn of(folder: &Path) -> io::Result<Self> {
        let mut shelf = Self::default();
        for file in files(folder)? {
            let bytes = file.metadata()?.len();
            shelf.add(&file, bytes);
        }
        Ok(shelf)
    }

    /// Adds a closed segment.
    pub(super) fn add(&mut self, file: &Path, bytes: u64) {
        self.segments.insert(key(file), bytes);
        self.bytes += bytes;
    }

    /// Deletes the oldest until at most `most` bytes are left. Returns how many segments that cost.
    pub(super) fn shrink_to(&mut self, most: u64) -> u64 {
        let mut deleted = 0;
        while self.bytes > most {
            let Some(((_, file), bytes)) = self.segments.pop_first() else { break };
            self.bytes -= bytes;
            match std::fs::remove_file(&file) {
                Ok(()) => deleted += 1,
                // Somebody else has made room.
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => warn!(file = %file.display(), %error, "an old segment of the capture cannot be deleted"),
            }
        }
        deleted
    }
}

fn key(file: &Path) -> (String, PathBuf) {
    (file.file_name().unwrap_or_default().to_string_lossy().into_owned(), file.to_owned())
}

/// The segments of a folder and of the folders in it, by age. A folder that is not there has none.
pub(super) fn files(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    collect(folder, true, &mut found)?;
    found.sort_by_key(|file| key(file));
    Ok(found)
}

fn collect(folder: &Path, deeper: bool, found: &mut Vec<PathBuf>) -> io::Result<()> {
    let entries = match std::fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error),
    };
    for entry in entries {
        let entry = entry?;
        let (path, kind) = (entry.path(), entry.file_type()?);
        if kind.is_dir() && deeper {
            collect(&path, false, found)?;
        } else if kind.is_file() && path.extension().is_some_and(|extension| extension == EXTENSION) {
            found.push(path);
        }
    }
    Ok(())
}
