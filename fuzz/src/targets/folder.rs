//! A folder for one input, in memory where the system has that.

use std::path::Path;

use tempfile::TempDir;

pub(super) fn folder() -> TempDir {
    let memory = Path::new("/dev/shm");
    let made = if memory.is_dir() { TempDir::new_in(memory) } else { TempDir::new() };
    match made {
        Ok(folder) => folder,
        Err(error) => panic!("no folder for the input: {error}"),
    }
}
