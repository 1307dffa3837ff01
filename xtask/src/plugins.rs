//! `cargo xtask plugins`: builds every plugin of the project to a component, `<target>/plugins/<name>.wasm`, and with
//! `--hostile` the misbehaving guests of the tests, `<target>/hostile/<name>.wasm`.
//!
//! Guests are compiled in a target folder of their own, `<target>/guests`, so that a guest build neither waits for the
//! lock of a host build (the tests build guests while cargo runs them) nor disturbs its fingerprints. Cargo decides what
//! is out of date; a component whose bytes did not change is not written again, so that its compiled code stays cached.

mod component;
mod package;
mod toolchain;

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};

use self::package::Workspace;
pub use self::toolchain::Toolchain;

/// What to build, and where.
#[derive(Debug, Clone, Default, clap::Args)]
pub struct Options {
    /// Build the misbehaving guests under tests/hostile instead of the plugins.
    #[arg(long)]
    pub hostile: bool,
    /// Build only the plugin of this name, that of its folder (may be given several times).
    #[arg(long, value_name = "NAME")]
    pub only: Vec<String>,
    /// Only say what would be built, and with which toolchain.
    #[arg(long)]
    pub check_only: bool,
    /// Build with this toolchain instead of the first that is there.
    #[arg(long, value_enum)]
    pub toolchain: Option<Toolchain>,
    /// Print nothing but errors.
    #[arg(long)]
    pub quiet: bool,
}

/// Builds what `options` asks for and returns the files, sorted by name. With `check_only` nothing is built and nothing
/// is returned.
///
/// Safe to call from several processes at a time: they queue for a lock file in the guests' target folder.
///
/// # Errors
/// No toolchain for wasm (the sentence says how to get one), a guest that does not compile (the compiler's words are on
/// stderr), or one that is not a valid component or imports what the host does not offer.
pub fn build(options: &Options) -> Result<Vec<PathBuf>> {
    let root = project_root();
    let target = target_folder(&root)?;
    let (sources, output) = match options.hostile {
        false => (root.clone(), target.join("plugins")),
        true => (root.join("tests/hostile"), target.join("hostile")),
    };
    let workspace = Workspace::read(&sources)?;
    let guests = workspace.guests(&options.only)?;
    let toolchain = options.toolchain.map_or_else(Toolchain::find, Toolchain::wanted)?;
    if options.check_only {
        println!("toolchain: {toolchain}");
        for guest in &guests {
            println!("{} -> {}", guest.package, output.join(format!("{}.wasm", guest.name)).display());
        }
        return Ok(Vec::new());
    }

    let guest_target = target.join(toolchain.target_folder_name());
    fs::create_dir_all(&guest_target).with_context(|| format!("cannot make the folder {}", guest_target.display()))?;
    fs::create_dir_all(&output).with_context(|| format!("cannot make the folder {}", output.display()))?;
    let lock_path = guest_target.join("tapedeck.lock");
    let lock = fs::File::create(&lock_path).with_context(|| format!("cannot make {}", lock_path.display()))?;
    lock.lock().with_context(|| format!("cannot lock {}", lock_path.display()))?;

    let modules = toolchain.compile(&workspace, &guests, &guest_target, options.quiet)?;
    let mut files = Vec::with_capacity(guests.len());
    for (guest, module) in guests.iter().zip(&modules) {
        let bytes =
            fs::read(module).with_context(|| format!("cannot read the compiled module {}", module.display()))?;
        let bytes = match guest.raw_module {
            true => bytes,
            false => component::encode(&guest.name, &bytes)?,
        };
        if !options.hostile {
            component::check_imports(&guest.name, &bytes)?;
        }
        files.push(write(&output, &guest.name, &bytes)?);
    }
    for (name, text) in workspace.impostors(&options.only)? {
        files.push(write(&output, &name, &text)?);
    }
    files.sort();
    if !options.quiet {
        println!("{} in {} (built with {toolchain})", count(files.len()), output.display());
    }
    Ok(files)
}

fn count(files: usize) -> String {
    match files {
        1 => "1 plugin".to_owned(),
        many => format!("{many} plugins"),
    }
}

/// Puts a plugin in its place in one step, so that a host that scans the folder never sees half a file. An unchanged
/// file keeps its time of change.
fn write(folder: &Path, name: &str, bytes: &[u8]) -> Result<PathBuf> {
    let path = folder.join(format!("{name}.wasm"));
    if fs::read(&path).is_ok_and(|old| old == bytes) {
        return Ok(path);
    }
    let unfinished = folder.join(format!(".{name}.{}.unfinished", std::process::id()));
    fs::write(&unfinished, bytes).with_context(|| format!("cannot write {}", unfinished.display()))?;
    fs::rename(&unfinished, &path).with_context(|| format!("cannot put {} in its place", path.display()))?;
    Ok(path)
}

/// The folder of the project's root manifest.
fn project_root() -> PathBuf {
    let own = Path::new(env!("CARGO_MANIFEST_DIR"));
    own.parent().unwrap_or(own).to_owned()
}

/// The folder that cargo builds the project into, whatever the environment and cargo's configuration say about it.
fn target_folder(root: &Path) -> Result<PathBuf> {
    let target = Workspace::read(root)?.target;
    ensure!(target.is_absolute(), "cargo names a target folder that is not absolute: {}", target.display());
    Ok(target)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unchanged_file_is_left_alone_and_a_changed_one_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let path = write(folder.path(), "one", b"first").unwrap();
        let long_ago = std::time::SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(1_000_000);
        fs::File::options().write(true).open(&path).unwrap().set_modified(long_ago).unwrap();

        write(folder.path(), "one", b"first").unwrap();
        assert_eq!(fs::metadata(&path).unwrap().modified().unwrap(), long_ago);

        write(folder.path(), "one", b"second").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"second");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "an unfinished file was left behind");
    }

    #[test]
    fn every_folder_under_plugins_is_a_guest_of_the_workspace() {
        let root = project_root();
        let guests = Workspace::read(&root).unwrap().guests(&[]).unwrap();
        let mut folders: Vec<String> = fs::read_dir(root.join("plugins"))
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        folders.sort();
        assert_eq!(guests.into_iter().map(|guest| guest.name).collect::<Vec<_>>(), folders);
    }

    #[test]
    fn an_unknown_name_is_refused_with_the_known_ones() {
        let error = Workspace::read(&project_root()).unwrap().guests(&["nowhere".to_owned()]).unwrap_err().to_string();
        assert!(error.contains("nowhere") && error.contains("binance"), "{error}");
    }
}
