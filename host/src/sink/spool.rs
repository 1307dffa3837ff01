//! Records on disk, in order, while Kafka is away and memory is full.
//!
//! A folder of segments, numbered in their order; whoever writes begins a new one. A record is its length, its checksums
//! and its bytes, so that a tail which was being written when the machine or the host died is found and cut off at
//! the next opening, and told from what was damaged later. Written records are given to the disk every 64 KiB, and are safe from a loss of power once
//! [`Spool::flush`]'s file is synced. A segment is removed when everything in it is delivered.

use std::collections::VecDeque;
use std::fs::{self, File};
use std::io::{self, Write as _};
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use thiserror::Error;
use tracing::{error, warn};

pub mod record;
pub mod segment;

use segment::{HEADER, Scan};

/// Bytes after which a segment ends.
const SEGMENT_BYTES: u64 = 8 << 20;

/// Bytes that are gathered before they are written.
const BUFFER_BYTES: usize = 64 << 10;

/// The first segment's number: there is room for some before it.
const FIRST: u64 = 1 << 32;

/// Why a record is not in the spool.
#[derive(Debug, Error)]
pub enum SpoolError {
    /// There is no room for it under the bound.
    #[error("the spool is full")]
    Full,
    /// The folder or a file in it.
    #[error("{} cannot be {what} ([spool] folder)", path.display())]
    Io {
        /// Folder or file.
        path: PathBuf,
        /// What was tried, as a participle.
        what: &'static str,
        /// Why not.
        source: io::Error,
    },
    /// Another host has it.
    #[error("{} is another host's: it is locked; give each host a [spool] folder of its own", .0.display())]
    Taken(PathBuf),
}

/// A spool.
#[derive(Debug)]
pub struct Spool {
    folder: PathBuf,
    max_bytes: u64,
    /// Oldest first.
    segments: VecDeque<Segment>,
    active: Option<Active>,
    /// Held for as long as this lives.
    _lock: File,
}

/// A segment that is written no more.
#[derive(Clone, Debug)]
pub struct Segment {
    path: PathBuf,
    number: u64,
    /// Bytes on disk, the header's included.
    on_disk: u64,
    /// What could not be written behind them.
    tail: Arc<Vec<u8>>,
    records: u64,
}

#[derive(Debug)]
struct Active {
    segment: Segment,
    file: Arc<File>,
    unwritten: Vec<u8>,
}

impl Spool {
    /// Opens or makes a spool. Torn tails are cut off.
    ///
    /// # Errors
    /// The folder cannot be made, read or written; another host has it.
    pub fn open(folder: &Path, max_bytes: u64) -> Result<Self, SpoolError> {
        let failed = |path: &Path, what| {
            let path = path.to_path_buf();
            move |source| SpoolError::Io { path, what, source }
        };
        fs::create_dir_all(folder).map_err(failed(folder, "made"))?;
        let lock_file = folder.join("lock");
        let lock = File::create(&lock_file).map_err(failed(&lock_file, "made"))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(fs::TryLockError::WouldBlock) => return Err(SpoolError::Taken(folder.to_path_buf())),
            Err(fs::TryLockError::Error(error)) => return Err(failed(&lock_file, "locked")(error)),
        }
        let mut segments = Vec::new();
        for entry in fs::read_dir(folder).map_err(failed(folder, "read"))? {
            let path = entry.map_err(failed(folder, "read"))?.path();
            if let Some(number) = segment_number(&path) {
                segments.push(Segment::recover(path.clone(), number).map_err(failed(&path, "read"))?);
            }
        }
        segments.retain(|segment| segment.records > 0 || fs::remove_file(&segment.path).is_err());
        segments.sort_by_key(|segment| segment.number);
        Ok(Self { folder: folder.to_path_buf(), max_bytes, segments: segments.into(), active: None, _lock: lock })
    }

    /// Appends a record.
    ///
    /// # Errors
    /// There is no room for it, or the disk does not take what was appended before. The record is not in the spool then;
    /// all others are, and appending may be tried again.
    pub fn append(&mut self, record: &[u8]) -> Result<(), SpoolError> {
        if self.bytes() + segment::framed_bytes(record) > self.max_bytes {
            return Err(SpoolError::Full);
        }
        let full = |active: &Active| active.segment.on_disk + active.unwritten.len() as u64 >= SEGMENT_BYTES;
        if self.active.as_ref().is_some_and(full) {
            self.seal();
        }
        if self.active.is_none() {
            let number = self.segments.back().map_or(Some(FIRST), |segment| segment.number.checked_add(1));
            self.active = Some(Active::create(&self.folder, number.ok_or(SpoolError::Full)?)?);
        }
        let Some(active) = &mut self.active else { return Err(SpoolError::Full) };
        if active.unwritten.len() >= BUFFER_BYTES {
            active.write()?;
        }
        segment::frame(record, &mut active.unwritten);
        active.segment.records += 1;
        Ok(())
    }

    /// Puts records before all others, and syncs them.
    ///
    /// # Errors
    /// The disk does not take them; none of them is in the spool then.
    pub fn prepend<'a>(&mut self, records: impl IntoIterator<Item = &'a [u8]>) -> Result<(), SpoolError> {
        let first = self.segments.front().or(self.active.as_ref().map(|active| &active.segment));
        let number = first.map_or(Some(FIRST), |segment| segment.number.checked_sub(1));
        let mut front = Active::create(&self.folder, number.ok_or(SpoolError::Full)?)?;
        for record in records {
            segment::frame(record, &mut front.unwritten);
            front.segment.records += 1;
        }
        let written = front.write().and_then(|()| front.file.sync_data().map_err(|error| front.error("synced", error)));
        if let Err(error) = written {
            let _ = fs::remove_file(&front.segment.path);
            return Err(error);
        }
        self.segments.push_front(front.segment);
        Ok(())
    }

    /// Writes what was gathered. Returns the file that is to be synced, outside of any lock.
    ///
    /// # Errors
    /// The disk does not take it. It is kept, and will be tried again.
    pub fn flush(&mut self) -> Result<Option<Arc<File>>, SpoolError> {
        let Some(active) = &mut self.active else { return Ok(None) };
        active.write()?;
        Ok(Some(Arc::clone(&active.file)))
    }

    /// The oldest segment. It stays until it is removed; what is appended from now on comes behind it.
    pub fn oldest(&mut self) -> Option<Segment> {
        if self.segments.is_empty() {
            self.seal();
        }
        self.segments.front().cloned()
    }

    /// Removes the oldest segment: everything in it is delivered.
    ///
    /// # Errors
    /// Its file cannot be removed: it would be delivered again by the next host.
    pub fn remove_oldest(&mut self) -> Result<(), SpoolError> {
        let Some(segment) = self.segments.pop_front() else { return Ok(()) };
        let path = segment.path;
        fs::remove_file(&path).map_err(|source| SpoolError::Io { path, what: "removed", source })
    }

    /// How many records it holds.
    pub fn records(&self) -> u64 {
        let active = self.active.as_ref().map(|active| active.segment.records);
        self.segments.iter().map(|segment| segment.records).chain(active).sum()
    }

    /// How large it is, what is not written yet included.
    pub fn bytes(&self) -> u64 {
        let active = self.active.as_ref().map(|active| active.segment.on_disk + active.unwritten.len() as u64);
        let sealed = self.segments.iter().map(|segment| segment.on_disk + segment.tail.len() as u64);
        sealed.chain(active).sum()
    }

    /// Whether nothing is in it.
    pub fn is_empty(&self) -> bool {
        self.segments.is_empty() && self.active.is_none()
    }

    /// Whether the oldest segment is the last one, and small.
    pub fn is_nearly_empty(&self) -> bool {
        self.segments.len() + usize::from(self.active.is_some()) <= 1 && self.bytes() < SEGMENT_BYTES / 8
    }

    /// Ends the active segment. What the disk does not take stays in memory with it, and comes back when it is read.
    fn seal(&mut self) {
        let Some(mut active) = self.active.take() else { return };
        let written =
            active.write().and_then(|()| active.file.sync_data().map_err(|error| active.error("synced", error)));
        if let Err(error) = written {
            warn!(reason = crate::session::chain(&error), "the end of a segment of the spool is in memory only");
        }
        let Active { mut segment, unwritten, .. } = active;
        segment.tail = Arc::new(unwritten);
        self.segments.push_back(segment);
    }
}

impl Segment {
    /// Its records, oldest first. Those that were damaged since they were written are missing, which is said, and the
    /// segment is kept aside. Blocks.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn read(&self) -> io::Result<Vec<Vec<u8>>> {
        let mut bytes = fs::read(&self.path)?;
        bytes.truncate(usize::try_from(self.on_disk).unwrap_or(usize::MAX));
        bytes.extend_from_slice(&self.tail);
        let records: Vec<_> = Scan::of(&bytes).map(<[u8]>::to_vec).collect();
        let lost = self.records.saturating_sub(records.len() as u64);
        if lost > 0 {
            let kept = self.keep_aside(&bytes)?;
            error!(records = lost, kept = %kept.display(), "a segment of the spool is damaged; these records are not delivered");
        }
        Ok(records)
    }

    /// Copies what is damaged, beside what was kept before.
    fn keep_aside(&self, bytes: &[u8]) -> io::Result<PathBuf> {
        for number in 1_u32.. {
            let path = match number {
                1 => self.path.with_extension("damaged"),
                more => self.path.with_extension(format!("{more}.damaged")),
            };
            match File::create_new(&path) {
                Ok(mut file) => return file.write_all(bytes).map(|()| path),
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(error),
            }
        }
        Err(io::ErrorKind::AlreadyExists.into())
    }

    /// Opens what another host left, and cuts its torn tail off.
    fn recover(path: PathBuf, number: u64) -> io::Result<Self> {
        let bytes = fs::read(&path)?;
        let mut scan = Scan::of(&bytes);
        let records = scan.by_ref().count() as u64;
        let good = scan.position();
        let segment = Self { path, number, on_disk: good as u64, tail: Arc::default(), records };
        if good < bytes.len() {
            let (cut, path) = (bytes.len() - good, &segment.path);
            if scan.is_damaged() {
                let kept = segment.keep_aside(&bytes)?;
                warn!(bytes = cut, kept = %kept.display(), "a segment of the spool is damaged; what is behind is kept aside");
            } else {
                warn!(bytes = cut, segment = %path.display(), "the end of a segment of the spool was never written in full");
            }
            File::options().write(true).open(path)?.set_len(good as u64)?;
        }
        Ok(segment)
    }
}

impl Active {
    fn create(folder: &Path, number: u64) -> Result<Self, SpoolError> {
        let path = folder.join(file_name(number));
        let made = File::create(&path).and_then(|file| {
            // The file's name is in the folder, which is synced by itself.
            File::open(folder)?.sync_all()?;
            Ok(file)
        });
        let file = made.map_err(|source| SpoolError::Io { path: path.clone(), what: "made", source })?;
        let segment = Segment { path, number, on_disk: 0, tail: Arc::default(), records: 0 };
        Ok(Self { segment, file: Arc::new(file), unwritten: HEADER.to_vec() })
    }

    /// Writes what was gathered, always at the same place until it is written in full.
    fn write(&mut self) -> Result<(), SpoolError> {
        let written = self.file.write_all_at(&self.unwritten, self.segment.on_disk);
        written.map_err(|error| self.error("written", error))?;
        self.segment.on_disk += self.unwritten.len() as u64;
        self.unwritten.clear();
        Ok(())
    }

    fn error(&self, what: &'static str, source: io::Error) -> SpoolError {
        SpoolError::Io { path: self.segment.path.clone(), what, source }
    }
}

fn file_name(number: u64) -> String {
    format!("{number:016x}.spool")
}

/// The number of a segment; none for files that are none.
fn segment_number(path: &Path) -> Option<u64> {
    let name = path.file_name()?.to_str()?;
    let number = u64::from_str_radix(name.strip_suffix(".spool")?, 16).ok()?;
    (file_name(number) == name).then_some(number)
}

#[cfg(test)]
mod tests;
