//! `[spool]`: where records wait while Kafka is away.

use std::path::PathBuf;

use super::section::Section;
use super::{Delivery, KafkaConfig};

/// `[spool]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SpoolConfig {
    /// Folder of its own; made if it is missing.
    pub folder: PathBuf,
    /// Bytes that it may grow to. Default 1 GiB.
    pub max_bytes: u64,
}

impl SpoolConfig {
    /// None if no folder is named.
    pub(super) fn read(mut section: Section<'_, '_>, kafka: &KafkaConfig) -> Option<Self> {
        let folder = section.text("folder", "\"/var/lib/tapedeck/spool\"");
        let max_bytes = u64::from(section.number("max_mb", 1024, 32..=1_000_000)) << 20;
        if let Some(folder) = folder.as_ref().filter(|_| kafka.delivery == Delivery::ExactlyOnce) {
            let message = "does not go with kafka.delivery = \"exactly-once\": what is on disk could not be part of the \
                           transaction with its positions; leave [spool] out, and what Kafka misses is backfilled";
            section.report(&folder.place, "folder", message);
        }
        section.finish();
        folder.map(|folder| Self { folder: folder.value.into(), max_bytes })
    }
}
