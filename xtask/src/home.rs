//! Where things are: the repository, and the folder that everything fetched and every local server's data lives in.

use std::path::{Path, PathBuf};

/// The repository's root: the folder of the workspace that this binary was built from.
pub fn repository() -> PathBuf {
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR"));
    manifest.parent().unwrap_or(manifest).to_path_buf()
}

/// The folder for what is fetched and for the local stack's data: `TAPEDECK_HOME`, or `.tapedeck` in the repository,
/// which git ignores.
pub fn home() -> PathBuf {
    match std::env::var_os("TAPEDECK_HOME") {
        Some(folder) if !folder.is_empty() => PathBuf::from(folder),
        _ => repository().join(".tapedeck"),
    }
}
