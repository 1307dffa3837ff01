//! Fetches the parts of the local stack once: pinned, checked, locked against a second run, and repaired when torn.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow, bail};

use crate::home::home;

mod checksum;
mod kafka;
mod library;
mod lock;
pub mod pins;
mod progress;
mod room;
mod seal;
pub(crate) mod tool;

use pins::Pins;
use progress::Board;
pub use progress::Show;

/// What the local stack runs on, all of it checked and in place.
#[derive(Debug, Clone)]
pub struct Parts {
    /// Folder with Kafka's jars.
    pub jars: PathBuf,
    /// A formatted, empty Kafka storage folder, to be copied for each new broker.
    pub formatted: PathBuf,
    /// Kafka's classes, loaded and laid out by this machine's JVM: halves the start. Absent where the JVM could not make it.
    pub classes: Option<PathBuf>,
    /// `libchdb.so`, which holds ClickHouse.
    pub library: PathBuf,
}

/// Fails at once, with a sentence for each, if something must be fetched and a tool for it is missing: better than after
/// minutes of compiling.
pub fn prerequisites() -> Result<()> {
    let (home, pins) = (home(), Pins::load()?);
    both(kafka::prerequisites(&home, &pins.kafka), library::prerequisites(&home, pins.package()?)).map(drop)
}

/// Brings everything that the local stack needs into the home folder and says where it is. A second run fetches nothing.
///
/// Only one process fetches at a time; others wait for it. Errors are sentences that say what is missing and what to do.
pub fn fetch(show: Show) -> Result<Parts> {
    let home = home();
    std::fs::create_dir_all(&home)
        .with_context(|| format!("the folder {} cannot be made; set TAPEDECK_HOME to another one", home.display()))?;
    let pins = Pins::load()?;
    let package = pins.package()?;
    let _lock = lock::Lock::take(&home.join("fetch.lock"))?;
    remove_torn(&home);

    let board = Board::new(show);
    let (kafka, library) = std::thread::scope(|scope| {
        let kafka = scope.spawn(|| kafka::ensure(&home, &pins.kafka, &board));
        let library = library::ensure(&home, package, &board);
        (kafka.join(), library)
    });
    let kafka = kafka.map_err(|_| anyhow!("the thread that fetches Kafka panicked"))?;
    let (kafka, library) = both(kafka, library)?;
    Ok(Parts { jars: kafka.jars, formatted: kafka.formatted, classes: kafka.classes, library })
}

/// Both, or what went wrong with either.
fn both<A, B>(kafka: Result<A>, library: Result<B>) -> Result<(A, B)> {
    match (kafka, library) {
        (Ok(kafka), Ok(library)) => Ok((kafka, library)),
        (Err(kafka), Err(library)) => bail!("{kafka:#}\n{library:#}"),
        (Err(error), Ok(_)) | (Ok(_), Err(error)) => Err(error),
    }
}

/// Removes what an interrupted fetch left behind. Called under the lock, so nobody is working in there.
fn remove_torn(home: &Path) {
    let Ok(entries) = std::fs::read_dir(home) else { return };
    for entry in entries.flatten() {
        if entry.file_name().to_string_lossy().starts_with(WORK) {
            // What cannot be removed now only costs room; the next run tries again.
            let _ = std::fs::remove_dir_all(entry.path());
        }
    }
}

/// How the names of the folders begin in which a fetch works before it moves its result into place.
const WORK: &str = "fetching-";
