//! One segment in the writing.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use super::block::Block;
use super::framing::{self, Kind};
use super::header::SegmentHeader;

/// A segment that is written. Each block goes to the system in one piece, so that a host that is killed loses only what it
/// had not written; the disk is not waited for.
#[derive(Debug)]
pub(super) struct Segment {
    file: File,
    path: PathBuf,
    bytes: u64,
    has_blocks: bool,
}

impl Segment {
    /// Makes the file, for its owner's eyes only: a feed's options may be private. It must not be there.
    pub(super) fn create(path: &Path, header: &SegmentHeader) -> io::Result<Self> {
        let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
        let mut segment = Self { file, path: path.to_owned(), bytes: 0, has_blocks: false };
        let begun = segment.begin(header);
        if begun.is_err() {
            // Without its header it is of no use to anybody.
            let _ = std::fs::remove_file(path);
        }
        begun.map(|()| segment)
    }

    /// Removes the file, as far as the disk allows.
    pub(super) fn remove(self) {
        let _ = std::fs::remove_file(self.path);
    }

    fn begin(&mut self, header: &SegmentHeader) -> io::Result<()> {
        let header = serde_json::to_vec(header)?;
        self.file.write_all(framing::MAGIC)?;
        self.bytes = framing::MAGIC.len() as u64;
        self.bytes += framing::write(&mut self.file, Kind::Header, &header)?;
        Ok(())
    }

    /// Appends a block. After an error the segment is as it was before, as far as the disk allows, and ended.
    pub(super) fn append(&mut self, block: &Block) -> io::Result<()> {
        let body = block.compressed()?;
        match framing::write(&mut self.file, Kind::Block, &body) {
            Ok(bytes) => {
                self.bytes += bytes;
                self.has_blocks = true;
                Ok(())
            }
            Err(error) => {
                let _ = self.file.set_len(self.bytes);
                Err(error)
            }
        }
    }

    /// Whether there is anything in it but its header.
    pub(super) fn has_blocks(&self) -> bool {
        self.has_blocks
    }

    /// Bytes of the file.
    pub(super) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// The file.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }
}
