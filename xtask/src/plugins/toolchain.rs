//! The compiler for guests: rustup's wasm target where there is one, else Debian's packages, which bring the standard
//! library as source.

use std::ffi::OsString;
use std::fmt;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail, ensure};
use serde::Deserialize;

use super::package::{Guest, Workspace};

/// The target of all guests: no operating system, and so no WASI import.
const TRIPLE: &str = "wasm32-unknown-unknown";

/// The profile in the manifests of both workspaces.
const PROFILE: &str = "plugin";

/// Debian's packages, each with the file that shows that it is installed.
const DEBIAN: [(&str, &str); 4] = [
    ("rustc-web", "/usr/bin/rustc"),
    ("cargo-web", "/usr/bin/cargo"),
    ("rust-web-src", "/usr/lib/rustlib/src/rust/library/std/Cargo.toml"),
    ("lld", "/usr/bin/wasm-ld"),
];

/// What compiles the guests.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Toolchain {
    /// The toolchain that builds the host, with the wasm target installed.
    Rustup,
    /// Debian's `rustc-web`, `cargo-web`, `rust-web-src` and `lld`, building the standard library as well.
    Debian,
}

impl fmt::Display for Toolchain {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Toolchain::Rustup => "the installed wasm32-unknown-unknown target",
            Toolchain::Debian => "Debian's rustc-web",
        })
    }
}

#[derive(Deserialize)]
#[serde(tag = "reason", rename_all = "kebab-case")]
enum Message {
    CompilerArtifact {
        manifest_path: PathBuf,
        filenames: Vec<PathBuf>,
    },
    #[serde(other)]
    Other,
}

impl Toolchain {
    /// Finds a toolchain; installs rustup's target where rustup is there and can.
    ///
    /// # Errors
    /// None is there: the sentence says what to install.
    pub fn find() -> Result<Toolchain> {
        if has_target()? {
            return Ok(Toolchain::Rustup);
        }
        eprintln!("the target {TRIPLE} is missing: rustup target add {TRIPLE}");
        let added = Command::new("rustup").args(["target", "add", TRIPLE]).stdout(Stdio::null()).status();
        if added.is_ok_and(|status| status.success()) && has_target()? {
            return Ok(Toolchain::Rustup);
        }
        let missing = missing_from_debian(Path::exists);
        if missing.is_empty() {
            return Ok(Toolchain::Debian);
        }
        bail!(
            "no compiler for plugins: rustup could not add the target {TRIPLE}; either make `rustup target add {TRIPLE}` \
             work, or, on Debian, run `apt-get install {}`",
            missing.join(" ")
        )
    }

    /// This toolchain, if it is there.
    pub(super) fn wanted(self) -> Result<Toolchain> {
        match self {
            Toolchain::Rustup => {
                ensure!(has_target()?, "the target {TRIPLE} is missing: run `rustup target add {TRIPLE}`");
            }
            Toolchain::Debian => {
                let missing = missing_from_debian(Path::exists).join(" ");
                ensure!(missing.is_empty(), "Debian's toolchain is missing: run `apt-get install {missing}`");
            }
        }
        Ok(self)
    }

    /// The guests' folder below the target folder: one a compiler, so that they do not undo each other's work.
    pub(super) fn target_folder_name(self) -> &'static str {
        match self {
            Toolchain::Rustup => "guests",
            Toolchain::Debian => "guests-debian",
        }
    }

    /// Compiles the guests and returns their modules, in the order of `guests`.
    pub(super) fn compile(
        self,
        workspace: &Workspace,
        guests: &[Guest],
        target: &Path,
        quiet: bool,
    ) -> Result<Vec<PathBuf>> {
        if guests.is_empty() {
            return Ok(Vec::new());
        }
        let mut command = self.cargo();
        command.args(["build", "--lib", "--target", TRIPLE, "--profile", PROFILE]);
        command.args(["--message-format", "json-render-diagnostics", "--target-dir"]).arg(target);
        for guest in guests {
            command.args(["--package", &guest.package]);
        }
        if quiet {
            command.arg("--quiet");
        }
        // The guests' flags are theirs alone: a host's linker or processor flags would break them. Paths of this machine
        // are cut from panic messages, so that a plugin is the same file wherever it was built.
        command.env("CARGO_ENCODED_RUSTFLAGS", remapped_paths(workspace));
        command.current_dir(&workspace.root).stdout(Stdio::piped()).stderr(Stdio::inherit());

        let mut child = command.spawn().with_context(|| format!("cannot start {}", command.get_program().display()))?;
        let messages = child.stdout.take().context("cargo was started without a pipe")?;
        let mut modules = Vec::new();
        for line in BufReader::new(messages).lines() {
            let line = line.context("cannot read what cargo says")?;
            let Ok(Message::CompilerArtifact { manifest_path, filenames }) = serde_json::from_str(&line) else {
                continue;
            };
            let wasm = filenames.into_iter().find(|file| file.extension().is_some_and(|extension| extension == "wasm"));
            if let Some(wasm) = wasm {
                modules.push((manifest_path, wasm));
            }
        }
        let status = child.wait().context("cannot wait for cargo")?;
        ensure!(status.success(), "the plugins do not compile (with {self}); the compiler's words are above");
        guests
            .iter()
            .map(|guest| {
                let of_guest = |manifest: &Path| {
                    manifest.parent().and_then(Path::file_name).is_some_and(|folder| folder == &*guest.name)
                };
                let module = modules.iter().find(|(manifest, _)| of_guest(manifest));
                module
                    .map(|(_, file)| file.clone())
                    .with_context(|| format!("cargo built no module for the package {}", guest.package))
            })
            .collect()
    }

    fn cargo(self) -> Command {
        match self {
            Toolchain::Rustup => Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into())),
            Toolchain::Debian => {
                let mut command = Command::new("/usr/bin/cargo");
                command.env("RUSTC", "/usr/bin/rustc").env("RUSTC_BOOTSTRAP", "1");
                command.env("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER", "wasm-ld");
                command.arg("-Zbuild-std=std,panic_abort");
                command
            }
        }
    }
}

/// Whether the compiler that builds the host has the standard library for guests.
fn has_target() -> Result<bool> {
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let output = Command::new(&rustc)
        .args(["--print", "target-libdir", "--target", TRIPLE])
        .output()
        .with_context(|| format!("cannot start {}", rustc.display()))?;
    let folder = PathBuf::from(String::from_utf8_lossy(&output.stdout).trim());
    Ok(output.status.success() && std::fs::read_dir(folder).is_ok_and(|mut files| files.next().is_some()))
}

fn missing_from_debian(exists: impl Fn(&Path) -> bool) -> Vec<&'static str> {
    DEBIAN.iter().filter(|(_, file)| !exists(Path::new(file))).map(|(package, _)| *package).collect()
}

/// The flags that cut this machine's paths, in cargo's encoding that allows spaces in them.
fn remapped_paths(workspace: &Workspace) -> OsString {
    let mut flags = OsString::from("--remap-path-prefix=");
    flags.push(workspace.root.as_os_str());
    flags.push("=.");
    let cargo_home = std::env::var_os("CARGO_HOME")
        .map(PathBuf::from)
        .or_else(|| std::env::var_os("HOME").map(|home| Path::new(&home).join(".cargo")));
    if let Some(cargo_home) = cargo_home {
        flags.push("\x1f--remap-path-prefix=");
        flags.push(cargo_home.join("registry/src"));
        flags.push("=registry");
    }
    flags
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_missing_packages_are_named_and_no_others() {
        assert_eq!(missing_from_debian(|_| true), Vec::<&str>::new());
        assert_eq!(missing_from_debian(|file| file != Path::new("/usr/bin/wasm-ld")), ["lld"]);
        assert_eq!(missing_from_debian(|_| false), ["rustc-web", "cargo-web", "rust-web-src", "lld"]);
    }
}
