//! Fetches the library that holds ClickHouse: by npm into a private cache, checked, unpacked, and moved into place whole.

use std::fs::File;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use flate2::read::GzDecoder;
use sha2::{Sha256, Sha512};

use super::pins::PackagePin;
use super::progress::{Board, Line};
use super::tool::NPM;
use super::{WORK, checksum, room, seal};

const LIBRARY: &str = "libchdb.so";
/// npm's cache and the tarball, then the library: all at once for a moment.
const ROOM: u64 = 1_100_000_000;

/// Fails with a sentence if it must be fetched and the tool for it is missing.
pub(crate) fn prerequisites(home: &Path, pin: &PackagePin) -> Result<()> {
    if seal::is_whole(&folder(home, pin), &pin.library_sha256) { Ok(()) } else { NPM.need("fetching ClickHouse") }
}

fn folder(home: &Path, pin: &PackagePin) -> PathBuf {
    home.join(format!("clickhouse-{}", pin.version))
}

/// The library's path, after fetching it if it is not there whole.
pub(crate) fn ensure(home: &Path, pin: &PackagePin, board: &Board) -> Result<PathBuf> {
    let folder = folder(home, pin);
    if !seal::is_whole(&folder, &pin.library_sha256) {
        room::need(home, ROOM, "fetching ClickHouse")?;
        let line = board.line(&format!("fetching ClickHouse {}", pin.version), pin.bytes);
        let work = tempfile::Builder::new().prefix(WORK).tempdir_in(home).context("no work folder can be made")?;
        let tarball = pack(work.path(), pin, &line)?;
        line.step("unpacking");
        let made = work.path().join("made");
        unpack(&tarball, &made, pin)?;
        seal::seal(&made, &pin.library_sha256)?;
        if folder.exists() {
            std::fs::remove_dir_all(&folder)
                .with_context(|| format!("{} is torn and cannot be removed", folder.display()))?;
        }
        std::fs::rename(&made, &folder).with_context(|| format!("{} cannot be moved into place", folder.display()))?;
        line.done();
    }
    Ok(folder.join(LIBRARY))
}

/// Lets npm fetch the tarball, and checks it.
fn pack(work: &Path, pin: &PackagePin, line: &Line) -> Result<PathBuf> {
    let tarballs = work.join("tarball");
    std::fs::create_dir(&tarballs).context("no work folder can be made")?;
    let cache = work.join("npm");
    let mut command = NPM.command();
    command.arg("pack").arg(format!("{}@{}", pin.package, pin.version));
    command.arg("--pack-destination").arg(&tarballs).arg("--cache").arg(&cache).arg("--prefer-online");
    NPM.run(command, "fetching ClickHouse", || line.follow(&cache))?;

    let mut found = std::fs::read_dir(&tarballs)?.flatten().map(|entry| entry.path());
    let Some(tarball) = found.next() else { bail!("fetching ClickHouse failed: npm wrote no tarball") };
    let sha512 = checksum::of_file::<Sha512>(&tarball)?;
    if sha512 != pin.tarball_sha512 {
        bail!(
            "{} {} has the sha512 {sha512}, but {} is pinned in xtask/pins.toml: do not use it before you know why",
            pin.package,
            pin.version,
            pin.tarball_sha512
        );
    }
    Ok(tarball)
}

/// Unpacks only the library, and checks it.
fn unpack(tarball: &Path, folder: &Path, pin: &PackagePin) -> Result<()> {
    std::fs::create_dir(folder).context("no work folder can be made")?;
    let mut archive = tar::Archive::new(GzDecoder::new(File::open(tarball)?));
    for entry in archive.entries().context("the ClickHouse package is no tar archive")? {
        let mut entry = entry.context("the ClickHouse package is torn")?;
        if entry.path()?.file_name().is_some_and(|name| name == LIBRARY) {
            let path = folder.join(LIBRARY);
            entry.unpack(&path).with_context(|| format!("{} cannot be written; is the disk full?", path.display()))?;
            let sha256 = checksum::of_file::<Sha256>(&path)?;
            if sha256 != pin.library_sha256 {
                bail!("{LIBRARY} has the sha256 {sha256}, but {} is pinned in xtask/pins.toml", pin.library_sha256);
            }
            return Ok(());
        }
    }
    bail!("the package {} {} holds no {LIBRARY}", pin.package, pin.version)
}
