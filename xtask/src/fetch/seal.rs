//! The seal of a fetched folder: which files it must hold, of what size and age. Cheap to check at each start, and a
//! missing, torn or changed file breaks it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};

const NAME: &str = "seal.toml";

#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Seal {
    /// What the folder was made from: a change of the pins breaks the seal.
    content: String,
    files: BTreeMap<String, Entry>,
}

#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    bytes: u64,
    /// Time of the last change, ns since 1970: TOML's integers hold it until 2262.
    changed_ns: i64,
}

/// Whether the folder holds exactly what was sealed, made from the same content.
pub(crate) fn is_whole(folder: &Path, content: &str) -> bool {
    let Ok(text) = std::fs::read_to_string(folder.join(NAME)) else { return false };
    let Ok(sealed) = toml::from_str::<Seal>(&text) else { return false };
    sealed.content == content && entries(folder).is_ok_and(|files| files == sealed.files)
}

/// Seals a folder whose files have all been checked.
pub(crate) fn seal(folder: &Path, content: &str) -> Result<()> {
    let seal = Seal { content: content.to_owned(), files: entries(folder)? };
    let text = toml::to_string(&seal).context("the seal cannot be written as TOML")?;
    let path = folder.join(NAME);
    std::fs::write(&path, text).with_context(|| format!("{} cannot be written", path.display()))
}

fn entries(folder: &Path) -> Result<BTreeMap<String, Entry>> {
    let mut files = BTreeMap::new();
    let mut folders: Vec<PathBuf> = vec![folder.to_path_buf()];
    while let Some(current) = folders.pop() {
        for entry in std::fs::read_dir(&current).with_context(|| format!("{} cannot be read", current.display()))? {
            let entry = entry?;
            let metadata = entry.metadata()?;
            if metadata.is_dir() {
                folders.push(entry.path());
            } else if entry.file_name() != NAME {
                let name = entry.path().strip_prefix(folder)?.to_string_lossy().into_owned();
                let changed = metadata.modified()?.duration_since(UNIX_EPOCH)?.as_nanos();
                files.insert(name, Entry { bytes: metadata.len(), changed_ns: i64::try_from(changed)? });
            }
        }
    }
    Ok(files)
}

#[cfg(test)]
mod tests {

    use super::*;

    #[test]
    fn a_torn_missing_added_or_outdated_file_breaks_the_seal() {
        let folder = tempfile::tempdir().unwrap();
        let jar = folder.path().join("libs/a.jar");
        std::fs::create_dir(folder.path().join("libs")).unwrap();
        std::fs::write(&jar, "0123456789").unwrap();
        assert!(!is_whole(folder.path(), "v1"), "not sealed yet");

        seal(folder.path(), "v1").unwrap();
        assert!(is_whole(folder.path(), "v1"));
        assert!(!is_whole(folder.path(), "v2"), "other pins");

        std::fs::write(&jar, "01234").unwrap();
        assert!(!is_whole(folder.path(), "v1"), "torn");
        seal(folder.path(), "v1").unwrap();
        std::fs::write(folder.path().join("b.jar"), "").unwrap();
        assert!(!is_whole(folder.path(), "v1"), "added");
        seal(folder.path(), "v1").unwrap();
        std::fs::remove_file(&jar).unwrap();
        assert!(!is_whole(folder.path(), "v1"), "missing");
    }
}
