//! A small disk that can be full or read-only: a tmpfs in a mount namespace of the process that is started with it. Nothing
//! of it is left when that process ends, however it ends.

use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result};
use tempfile::TempDir;

/// Bytes that a tmpfs gives at a time.
const PAGE: u64 = 4096;

/// A folder over which a process mounts a disk of its own.
#[derive(Debug)]
pub struct Disk {
    folder: TempDir,
    options: String,
    /// Whether it takes a user namespace, in which we may mount.
    as_root: bool,
}

impl Disk {
    /// A disk with these options of a tmpfs. None where the machine does not let us mount one, which is said in one line.
    ///
    /// # Errors
    /// There is no room for temporary files.
    pub fn new(options: &str) -> Result<Option<Self>> {
        let mut reason = String::new();
        let mut disk = Self { folder: tempfile::tempdir()?, options: options.to_owned(), as_root: false };
        for as_root in [false, true] {
            disk.as_root = as_root;
            match disk.command(Path::new("true")).stdin(Stdio::null()).output() {
                Ok(output) if output.status.success() => return Ok(Some(disk)),
                Ok(output) => reason = String::from_utf8_lossy(&output.stderr).trim().replace('\n', "; "),
                Err(error) => reason = error.to_string(),
            }
        }
        println!("skipped: no disk of its own can be mounted: {reason}");
        Ok(None)
    }

    /// The folder, as the process that was started with the disk knows it.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// A command that mounts the disk and then becomes the program.
    pub fn command(&self, program: &Path) -> Command {
        let mut command = Command::new("unshare");
        command.arg("--mount");
        if self.as_root {
            command.arg("--map-root-user");
        }
        let mount = r#"mount -t tmpfs -o "$1" tmpfs "$2" && shift 2 && exec "$@""#;
        command.args(["sh", "-c", mount, "sh", &self.options]).arg(self.folder()).arg(program);
        command
    }

    /// The disk of a process, seen from outside.
    pub fn of(&self, pid: u32) -> PathBuf {
        let inside = self.folder().strip_prefix("/").unwrap_or(self.folder());
        Path::new("/proc").join(pid.to_string()).join("root").join(inside)
    }

    /// Leaves so many bytes (in whole pages) of a process's disk to it.
    ///
    /// # Errors
    /// The disk takes no file, or the process has ended.
    pub fn fill(&self, pid: u32, leaving: u64) -> Result<()> {
        let mut filler = File::create(self.filler(pid)).context("the disk takes no file")?;
        let page = vec![0; usize::try_from(PAGE)?];
        loop {
            match filler.write_all(&page) {
                Ok(()) => {}
                Err(error) if error.kind() == ErrorKind::StorageFull => break,
                Err(error) => return Err(error).context("the disk cannot be filled"),
            }
        }
        let bytes = filler.metadata()?.len();
        Ok(filler.set_len(bytes.saturating_sub(leaving))?)
    }

    /// Gives back what [`Disk::fill`] took.
    ///
    /// # Errors
    /// The disk was not filled, or the process has ended.
    pub fn make_room(&self, pid: u32) -> Result<()> {
        OpenOptions::new().write(true).open(self.filler(pid))?.set_len(0).context("the disk gives no room back")
    }

    fn filler(&self, pid: u32) -> PathBuf {
        self.of(pid).join("filler")
    }
}
