//! The captures of a folder, read as one: streams side by side in the order in which their frames came.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::BufReader;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};

use super::block::Captured;
use super::header::SegmentHeader;
use super::reader::{NoCapture, SegmentReader};
use super::shelf;

/// What a person should know of a capture that was read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Notes {
    /// Segments that were read.
    pub segments: u64,
    /// Segments whose tail is of no use.
    pub torn: u64,
    /// Bytes of those tails.
    pub torn_bytes: u64,
    /// Segments that are not there any more, before or between those that are.
    pub missing: u64,
    /// Files that ended before their header did.
    pub empty: u64,
}

/// A stream: the connections of one handler, one after the other.
#[derive(Debug)]
pub struct Stream {
    header: SegmentHeader,
    /// Not read yet, the next one last.
    files: Vec<(SegmentHeader, PathBuf)>,
    sequence: u32,
    open: Option<(SegmentReader<BufReader<File>>, PathBuf)>,
    next: Option<Captured>,
}

impl Stream {
    /// The header of its first segment.
    pub fn header(&self) -> &SegmentHeader {
        &self.header
    }
}

/// The streams of a folder.
#[derive(Debug, Default)]
pub struct Folder {
    streams: Vec<Stream>,
    notes: Notes,
}

impl Folder {
    /// Finds the segments of a folder and the folders in it, or takes the one segment that is named.
    ///
    /// # Errors
    /// There is none, or one of the files is none.
    pub fn open(path: &Path) -> anyhow::Result<Self> {
        let shown = path.display();
        let files = match path.is_file() {
            true => vec![path.to_owned()],
            false => shelf::files(path).with_context(|| format!("{shown} cannot be read"))?,
        };
        let mut streams: BTreeMap<String, Vec<(SegmentHeader, PathBuf)>> = BTreeMap::new();
        let mut notes = Notes::default();
        for file in files {
            match segment(&file) {
                Ok(reader) => {
                    let header = reader.header().clone();
                    streams.entry(header.stream.clone()).or_default().push((header, file));
                }
                Err(NoCapture::Torn) => notes.empty += 1,
                Err(error) => return Err(error).with_context(|| format!("{}", file.display())),
            }
        }
        if streams.is_empty() {
            bail!("{shown} has no captures (files *.{}); is it the folder of [capture]?", shelf::EXTENSION);
        }
        let stream = |mut files: Vec<(SegmentHeader, PathBuf)>| {
            files.sort_by_key(|(header, _)| std::cmp::Reverse(header.sequence));
            let (header, _) = files.last()?.clone();
            Some(Stream { header, files, sequence: 0, open: None, next: None })
        };
        Ok(Self { streams: streams.into_values().filter_map(stream).collect(), notes })
    }

    /// The streams.
    pub fn streams(&self) -> &[Stream] {
        &self.streams
    }

    /// Keeps only some of the streams.
    pub fn retain(&mut self, keep: impl Fn(&SegmentHeader) -> bool) {
        self.streams.retain(|stream| keep(&stream.header));
    }

    /// What was found besides frames, as far as it was read.
    pub fn notes(&self) -> &Notes {
        &self.notes
    }

    /// What came next, and the index of its stream; none at the end of all.
    ///
    /// # Errors
    /// A file cannot be read.
    pub fn next_captured(&mut self) -> anyhow::Result<Option<(usize, Captured)>> {
        loop {
            let times = self.streams.iter().enumerate().filter_map(|(index, stream)| {
                let begun = || stream.files.last().map(|(header, _)| header.started_at_us);
                Some((stream.next.as_ref().map(Captured::at_us).or_else(begun)?, index))
            });
            let Some((_, index)) = times.min() else { return Ok(None) };
            let stream = &mut self.streams[index];
            // A stream whose turn comes for the first time only now shows when its first frames came.
            let captured = stream.next.take();
            stream.advance(&mut self.notes)?;
            if let Some(captured) = captured {
                return Ok(Some((index, captured)));
            }
        }
    }
}

impl Stream {
    /// Whether everything of it was read.
    pub fn is_over(&self) -> bool {
        self.next.is_none() && self.open.is_none() && self.files.is_empty()
    }

    /// Makes what comes next ready.
    fn advance(&mut self, notes: &mut Notes) -> anyhow::Result<()> {
        loop {
            if let Some((reader, file)) = &mut self.open {
                let shown = || format!("{} cannot be read", file.display());
                self.next = reader.next_captured().with_context(shown)?;
                if self.next.is_some() {
                    return Ok(());
                }
                let bytes = std::fs::metadata(&*file).with_context(shown)?.len();
                let torn = bytes.saturating_sub(reader.good_bytes());
                notes.torn += u64::from(torn > 0);
                notes.torn_bytes += torn;
                self.open = None;
            }
            let Some((header, file)) = self.files.pop() else { return Ok(()) };
            notes.segments += 1;
            notes.missing += u64::from(header.sequence.saturating_sub(self.sequence.saturating_add(1)));
            self.sequence = header.sequence;
            match segment(&file) {
                Ok(reader) => self.open = Some((reader, file)),
                // Deleted since it was found, to make room.
                Err(NoCapture::Unreadable(error)) if error.kind() == std::io::ErrorKind::NotFound => notes.missing += 1,
                Err(error) => return Err(error).with_context(|| format!("{}", file.display())),
            }
        }
    }
}

fn segment(file: &Path) -> Result<SegmentReader<BufReader<File>>, NoCapture> {
    SegmentReader::open(BufReader::new(File::open(file)?))
}
