//! `[capture]`: raw frames on disk.

use std::path::PathBuf;

use super::section::Section;

/// `[capture]` with a folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CaptureConfig {
    /// Folder for the segments; made if it is missing.
    pub folder: PathBuf,
    /// Bytes at which a segment is ended and another begun. Default 64 MiB.
    pub segment_bytes: u64,
    /// Bytes of all segments together; beyond, the oldest are deleted. Default 10 GiB.
    pub max_bytes: u64,
}

impl CaptureConfig {
    /// None where no folder is named: then nothing is captured.
    pub(super) fn read(mut section: Section<'_, '_>) -> Option<Self> {
        let folder = section.text("folder", "\"/var/lib/tapedeck/capture\"").map(|found| PathBuf::from(found.value));
        let segment_mb = section.number("segment_mb", 64, 1..=4096);
        let max_mb = section.number("max_mb", 10_240, 2..=u32::MAX);
        if max_mb / 2 < segment_mb {
            let message =
                format!("{max_mb} is less than two segments of segment_mb, {segment_mb}; the oldest go first");
            section.report(&section.place_of("max_mb"), "max_mb", &message);
        }
        section.finish();
        let (segment_bytes, max_bytes) = (u64::from(segment_mb) << 20, u64::from(max_mb) << 20);
        folder.map(|folder| Self { folder, segment_bytes, max_bytes })
    }
}
