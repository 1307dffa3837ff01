//! The programs and plugins that the tests run, built once for all of them.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use anyhow::{Context, Result, anyhow, ensure};
use xtask::cargo::{self, Profile};

/// Names a folder with `tapedeck`, `tapedeck-sim` and `xtask` in it, built already; without it they are built.
const FOLDER: &str = "TAPEDECK_PROGRAMS";

/// The `tapedeck` binary.
///
/// # Errors
/// It does not compile, or is not in the folder that was named.
pub fn tapedeck() -> Result<PathBuf> {
    let path = folder()?.join("tapedeck");
    ensure!(path.is_file(), "{} is missing: run `cargo build -p tapedeck`, or unset {FOLDER}", path.display());
    Ok(path)
}

/// Folder with the plugins of the project.
///
/// # Errors
/// A plugin does not compile; the compiler's words are on stderr.
pub fn plugins() -> Result<&'static Path> {
    static FOLDER: OnceLock<Result<PathBuf, String>> = OnceLock::new();
    once(&FOLDER, || build_plugins(false))
}

/// Folder with the plugins that misbehave.
///
/// # Errors
/// As [`plugins`].
pub fn hostile_plugins() -> Result<&'static Path> {
    static FOLDER: OnceLock<Result<PathBuf, String>> = OnceLock::new();
    once(&FOLDER, || build_plugins(true))
}

/// Where the tests keep what a later run can use again: compiled plugins.
///
/// # Errors
/// This program's own path is unknown.
pub fn cache() -> Result<PathBuf> {
    Ok(beside_us()?.join("tapedeck-tests").join("cache"))
}

/// Folder with the programs, built from the sources as they are.
///
/// # Errors
/// Something does not compile.
pub fn folder() -> Result<&'static Path> {
    static BUILT: OnceLock<Result<PathBuf, String>> = OnceLock::new();
    once(&BUILT, || match std::env::var_os(FOLDER) {
        Some(folder) => Ok(PathBuf::from(folder)),
        None => build(),
    })
}

fn build() -> Result<PathBuf> {
    let profile = if cfg!(debug_assertions) { Profile::Dev } else { Profile::Release };
    for name in ["xtask", "tapedeck-sim"] {
        cargo::binary(name, profile)?;
    }
    let tapedeck = cargo::binary("tapedeck", profile)?;
    Ok(tapedeck.parent().context("cargo built tapedeck into no folder")?.to_path_buf())
}

/// The folder of cargo's profile: a test lies in `target/<profile>/deps`, a binary in `target/<profile>`.
fn beside_us() -> Result<PathBuf> {
    let own = std::env::current_exe().context("this program's own path is unknown")?;
    let folder = own.parent().context("this program has no folder")?;
    let is_deps = folder.file_name().is_some_and(|name| name == "deps");
    let folder = if is_deps { folder.parent().unwrap_or(folder) } else { folder };
    Ok(folder.to_path_buf())
}

fn build_plugins(hostile: bool) -> Result<PathBuf> {
    let options = xtask::plugins::Options { hostile, quiet: true, ..xtask::plugins::Options::default() };
    let files = xtask::plugins::build(&options)?;
    let first = files.first().context("there are no plugins")?;
    Ok(first.parent().context("the plugins have no folder")?.to_path_buf())
}

fn once(cell: &OnceLock<Result<PathBuf, String>>, make: impl FnOnce() -> Result<PathBuf>) -> Result<&Path> {
    let made = cell.get_or_init(|| make().map_err(|error| format!("{error:#}")));
    made.as_deref().map_err(|reason| anyhow!("{reason}"))
}
