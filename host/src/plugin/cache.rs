//! The folder for compiled plugins.
//!
//! What is in it runs as machine code, outside of any sandbox. So it must belong to the user that Tapedeck runs as and be
//! closed to all others; a folder that is not so is not used.

use std::fs::{self, DirBuilder};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt};
use std::path::Path;

use wasmtime::{Cache, CacheConfig};

/// The most bytes of compiled code that are kept; the least used go first.
const MAX_BYTES: u64 = 256 << 20;

/// Opens the folder, and makes it if it is not there. The error is a sentence.
pub(super) fn open(folder: &Path) -> Result<Cache, String> {
    let folder = ready(folder)?;
    let mut config = CacheConfig::new();
    config.with_directory(folder).with_files_total_size_soft_limit(MAX_BYTES);
    Cache::new(config).map_err(|error| format!("{error:#}"))
}

/// The folder, absolute, and sure to be ours alone.
fn ready(folder: &Path) -> Result<std::path::PathBuf, String> {
    DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(|error| format!("can't be made: {error}"))?;
    let folder = folder.canonicalize().map_err(|error| format!("can't be found: {error}"))?;
    let metadata = fs::metadata(&folder).map_err(|error| format!("can't be looked at: {error}"))?;
    let (owner, user) = (metadata.uid(), rustix::process::geteuid().as_raw());
    if owner != user {
        return Err(format!("it belongs to user {owner} and Tapedeck runs as {user}: give it a folder of its own"));
    }
    let mode = metadata.permissions().mode() & 0o777;
    if mode & 0o022 != 0 {
        return Err(format!(
            "others may write to it (mode {mode:o}), and what is in it is run: `chmod 700` it or remove it"
        ));
    }
    if mode & 0o077 != 0 {
        fs::set_permissions(&folder, fs::Permissions::from_mode(0o700))
            .map_err(|error| format!("can't be closed: {error}"))?;
    }
    Ok(folder)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_folder_is_made_and_closed() {
        let place = tempfile::tempdir().unwrap();
        let folder = place.path().join("a/b");
        let ready = ready(&folder).unwrap();
        assert_eq!(fs::metadata(&ready).unwrap().permissions().mode() & 0o777, 0o700);

        fs::set_permissions(&folder, fs::Permissions::from_mode(0o755)).unwrap();
        super::ready(&folder).unwrap();
        assert_eq!(fs::metadata(&folder).unwrap().permissions().mode() & 0o777, 0o700);
    }

    #[test]
    fn a_folder_that_others_may_write_to_is_not_used() {
        let place = tempfile::tempdir().unwrap();
        let folder = place.path().join("open");
        fs::create_dir(&folder).unwrap();
        fs::set_permissions(&folder, fs::Permissions::from_mode(0o777)).unwrap();
        let reason = ready(&folder).unwrap_err();
        assert!(reason.contains("mode 777"), "{reason}");
    }

    #[test]
    fn a_file_in_its_place_is_an_error() {
        let place = tempfile::tempdir().unwrap();
        let folder = place.path().join("file");
        fs::write(&folder, "x").unwrap();
        let reason = ready(&folder).unwrap_err();
        assert!(reason.starts_with("can't be made"), "{reason}");
    }
}
