//! Which guests a workspace holds, as cargo itself tells it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};
use serde::Deserialize;

/// A workspace that holds guests: the project's own, or that of the hostile ones.
#[derive(Debug)]
pub(super) struct Workspace {
    /// The folder of its manifest.
    pub(super) root: PathBuf,
    /// The folder that cargo would build it into.
    pub(super) target: PathBuf,
    packages: Vec<Package>,
}

/// A crate that becomes one `.wasm` file.
#[derive(Debug, Clone)]
pub(super) struct Guest {
    /// Name of the file: that of the crate's folder.
    pub(super) name: String,
    /// Name of the cargo package.
    pub(super) package: String,
    /// Whether the compiled module is the end product, not to be made a component
    /// (`package.metadata.tapedeck.raw-module = true` in its manifest).
    pub(super) raw_module: bool,
}

#[derive(Deserialize)]
struct Metadata {
    packages: Vec<Package>,
    target_directory: PathBuf,
}

#[derive(Debug, Deserialize)]
struct Package {
    name: String,
    manifest_path: PathBuf,
    targets: Vec<Target>,
    metadata: Option<PackageMetadata>,
}

#[derive(Debug, Deserialize)]
struct Target {
    crate_types: Vec<String>,
}

#[derive(Debug, Deserialize)]
struct PackageMetadata {
    tapedeck: Option<OwnMetadata>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct OwnMetadata {
    #[serde(default)]
    raw_module: bool,
}

impl Workspace {
    /// Asks cargo about the workspace whose manifest is in `root`.
    pub(super) fn read(root: &Path) -> Result<Workspace> {
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let output = Command::new(&cargo)
            .args(["metadata", "--no-deps", "--format-version", "1", "--manifest-path"])
            .arg(root.join("Cargo.toml"))
            .current_dir(root)
            .output()
            .with_context(|| format!("cannot start {}", cargo.display()))?;
        ensure!(
            output.status.success(),
            "cargo cannot read the workspace in {}: {}",
            root.display(),
            String::from_utf8_lossy(&output.stderr).trim()
        );
        let metadata: Metadata =
            serde_json::from_slice(&output.stdout).context("cargo metadata did not answer with the JSON expected")?;
        Ok(Workspace { root: root.to_owned(), target: metadata.target_directory, packages: metadata.packages })
    }

    /// The guests of this workspace, sorted by name: the members that build a `cdylib`. `only`, unless empty, names
    /// those that are wanted.
    pub(super) fn guests(&self, only: &[String]) -> Result<Vec<Guest>> {
        let mut guests = Vec::new();
        for package in &self.packages {
            if !package.targets.iter().any(|target| target.crate_types.iter().any(|kind| kind == "cdylib")) {
                continue;
            }
            let folder = package.manifest_path.parent().and_then(Path::file_name).and_then(|name| name.to_str());
            let Some(folder) = folder else {
                bail!("the folder of {} has no name that is text", package.manifest_path.display());
            };
            let own = package.metadata.as_ref().and_then(|metadata| metadata.tapedeck.as_ref());
            guests.push(Guest {
                name: folder.to_owned(),
                package: package.name.clone(),
                raw_module: own.is_some_and(|own| own.raw_module),
            });
        }
        guests.sort_by(|one, other| one.name.cmp(&other.name));

        let impostors = self.impostors(&[])?;
        let known: Vec<&str> =
            guests.iter().map(|guest| &*guest.name).chain(impostors.iter().map(|(name, _)| &**name)).collect();
        for name in only {
            ensure!(
                known.contains(&&**name),
                "there is no plugin named {name:?} in {}; there are: {}",
                self.root.display(),
                known.join(", ")
            );
        }
        guests.retain(|guest| only.is_empty() || only.contains(&guest.name));
        Ok(guests)
    }

    /// Text files in the workspace's root that are to be passed off as plugins, `<name>.txt` as `<name>.wasm`, with
    /// their content. Only the hostile workspace has such.
    pub(super) fn impostors(&self, only: &[String]) -> Result<Vec<(String, Vec<u8>)>> {
        let mut impostors = Vec::new();
        for entry in fs::read_dir(&self.root).with_context(|| format!("cannot list {}", self.root.display()))? {
            let path = entry.with_context(|| format!("cannot list {}", self.root.display()))?.path();
            let Some(name) = path.file_name().and_then(|name| name.to_str()).and_then(|name| name.strip_suffix(".txt"))
            else {
                continue;
            };
            if only.is_empty() || only.iter().any(|wanted| wanted == name) {
                let text = fs::read(&path).with_context(|| format!("cannot read {}", path.display()))?;
                impostors.push((name.to_owned(), text));
            }
        }
        Ok(impostors)
    }
}
