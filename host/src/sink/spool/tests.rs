//! The spool against a model, over many histories with crashes in them; and what disks do.

use proptest::prelude::*;
use tempfile::TempDir;

use super::*;

#[derive(Clone, Debug)]
enum Step {
    Append(usize),
    Flush {
        sync: bool,
    },
    /// Deliver the oldest segment.
    Deliver,
    Prepend(usize),
    /// The host dies, or with it the machine: at any byte between what is certain to be on disk, 0, and everything that was
    /// appended, `u16::MAX`. Behind it the disk may show anything.
    Crash {
        loses_power: bool,
        at: u16,
        tail: Vec<u8>,
    },
    /// The host ends well.
    Reopen,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let size = prop_oneof![4 => 0..200usize, 1 => 20_000..90_000usize];
    let step = prop_oneof![
        20 => size.prop_map(Step::Append),
        4 => any::<bool>().prop_map(|sync| Step::Flush { sync }),
        3 => Just(Step::Deliver),
        1 => (1..4usize).prop_map(Step::Prepend),
        2 => (any::<bool>(), any::<u16>(), tails())
            .prop_map(|(loses_power, at, tail)| Step::Crash { loses_power, at, tail }),
        1 => Just(Step::Reopen),
    ];
    prop::collection::vec(step, 1..120)
}

/// What a disk may show behind what was written in full: nothing, zeros, anything.
fn tails() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        Just(Vec::new()),
        (1..5_000usize).prop_map(|length| vec![0; length]),
        prop::collection::vec(any::<u8>(), 1..40),
    ]
}

/// Record `number`, of some bytes.
fn record(number: u64, bytes: usize) -> Vec<u8> {
    number.to_le_bytes().into_iter().cycle().take(bytes.max(8)).collect()
}

struct Model {
    folder: TempDir,
    spool: Option<Spool>,
    records: VecDeque<Vec<u8>>,
    /// How many of them, from the front, outlive a loss of power.
    synced: usize,
    /// Bytes of the active segment that do, and its name.
    synced_bytes: (PathBuf, usize),
    next: u64,
}

impl Model {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let spool = Some(Spool::open(folder.path(), 1 << 20).unwrap());
        Self { folder, spool, records: VecDeque::new(), synced: 0, synced_bytes: Default::default(), next: 0 }
    }

    fn spool(&mut self) -> &mut Spool {
        self.spool.as_mut().unwrap()
    }

    fn apply(&mut self, step: Step) {
        match step {
            Step::Append(bytes) => {
                let record = record(self.next, bytes);
                let before = self.spool().bytes();
                match self.spool().append(&record) {
                    Ok(()) => self.records.push_back(record),
                    Err(SpoolError::Full) => assert!(before + segment::framed_bytes(&record) > 1 << 20),
                    Err(error) => panic!("{error}"),
                }
                self.next += 1;
            }
            Step::Flush { sync } => {
                let file = self.spool().flush().unwrap();
                if sync {
                    self.synced(file);
                }
            }
            Step::Deliver => {
                let Some(segment) = self.spool().oldest() else { return assert!(self.records.is_empty()) };
                let read = segment.read().unwrap();
                let expected: Vec<_> = self.records.drain(..read.len()).collect();
                assert_eq!(read, expected);
                self.synced = self.synced.saturating_sub(read.len());
                self.spool().remove_oldest().unwrap();
                if self.records.is_empty() {
                    // As after a crash.
                    self.synced_bytes = Default::default();
                }
            }
            Step::Prepend(count) => {
                let records: Vec<_> = (0..count).map(|index| record(self.next + index as u64, 100)).collect();
                self.next += count as u64;
                self.spool().prepend(records.iter().map(Vec::as_slice)).unwrap();
                self.synced += count;
                records.into_iter().rev().for_each(|record| self.records.push_front(record));
            }
            Step::Crash { loses_power, at, tail } => self.crash(loses_power, at, &tail),
            Step::Reopen => {
                self.spool().flush().unwrap();
                self.reopen();
                assert_eq!(self.spool().records(), self.records.len() as u64);
                self.synced = self.records.len();
            }
        }
        let expected = self.records.len() as u64;
        assert_eq!(self.spool().records(), expected);
        assert_eq!(self.spool().is_empty(), expected == 0);
    }

    fn synced(&mut self, file: Option<Arc<File>>) {
        if let Some(file) = file {
            file.sync_data().unwrap();
        }
        self.synced = self.records.len();
        if let Some(active) = &self.spool().active {
            self.synced_bytes = (active.segment.path.clone(), active.segment.on_disk as usize);
        }
    }

    /// What was not synced, or not even written, may be gone, but only from the end.
    fn crash(&mut self, loses_power: bool, at: u16, tail: &[u8]) {
        let spool = self.spool.take().unwrap();
        let mut certain = self.records.len();
        if let Some(active) = &spool.active {
            let path = &active.segment.path;
            let written = fs::read(path).unwrap();
            assert_eq!(written.len() as u64, active.segment.on_disk);
            let of_active = active.segment.records as usize;
            let synced = if self.synced_bytes.0 == *path { self.synced_bytes.1 } else { 0 };
            let (sure, records) = if loses_power {
                (synced, self.synced.max(self.records.len() - of_active))
            } else {
                (written.len(), self.records.len() - of_active + Scan::of(&written).count())
            };
            certain = records;
            let all = [written.as_slice(), &active.unwritten].concat();
            let end = sure + (all.len() - sure) * usize::from(at) / usize::from(u16::MAX);
            // Where everything was on disk already, nothing is behind it.
            let tail = if sure < all.len() { tail } else { &[] };
            fs::write(path, [&all[..end], tail].concat()).unwrap();
        }
        drop(spool);
        self.reopen();
        let left = self.spool().records() as usize;
        assert!((certain..=self.records.len()).contains(&left), "{left} of {} left, not {certain}", self.records.len());
        self.records.truncate(left);
        self.synced = left;
    }

    fn reopen(&mut self) {
        self.spool = None;
        // The next segment may get the name of one that is gone.
        self.synced_bytes = Default::default();
        self.spool = Some(Spool::open(self.folder.path(), 1 << 20).unwrap());
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(if cfg!(miri) { 1 } else { 150 }))]

    #[test]
    fn the_spool_is_a_queue_whatever_happens(steps in steps()) {
        let mut model = Model::new();
        for step in steps {
            model.apply(step);
        }
        while !model.records.is_empty() {
            model.apply(Step::Deliver);
        }
        prop_assert!(model.spool().is_empty());
    }

    #[test]
    fn foreign_bytes_are_read_without_harm(bytes in prop::collection::vec(any::<u8>(), 0..300), header in any::<bool>()) {
        let all = if header { [HEADER.as_slice(), &bytes].concat() } else { bytes.clone() };
        let mut scan = Scan::of(&all);
        scan.by_ref().for_each(drop);
        prop_assert!(scan.position() <= all.len());
        record::decode(&bytes);
    }
}

/// A spool of three records, and its only segment.
fn three(folder: &TempDir) -> (Spool, Segment) {
    let mut spool = Spool::open(folder.path(), 1 << 20).unwrap();
    for number in 0..3 {
        spool.append(&record(number, 50)).unwrap();
    }
    spool.flush().unwrap();
    let segment = spool.oldest().unwrap();
    (spool, segment)
}

/// Changes a byte of the second record's frame. Returns the whole file.
fn damage(path: &Path, at: usize) -> Vec<u8> {
    let mut bytes = fs::read(path).unwrap();
    bytes[HEADER.len() + segment::framed_bytes(&record(0, 50)) as usize + at] ^= 1;
    fs::write(path, &bytes).unwrap();
    bytes
}

#[test]
fn a_damaged_segment_is_kept_aside_and_gives_what_is_before_the_damage() {
    // A length that is larger than what follows, a checksum, a byte of the record.
    for at in [1, 5, 20] {
        let folder = tempfile::tempdir().unwrap();
        let (spool, Segment { path, .. }) = three(&folder);
        drop(spool);
        let bytes = damage(&path, at);
        let mut spool = Spool::open(folder.path(), 1 << 20).unwrap();
        assert_eq!(spool.oldest().unwrap().read().unwrap(), [record(0, 50)], "byte {at}");
        assert_eq!(fs::read(path.with_extension("damaged")).unwrap(), bytes, "byte {at}");
    }
}

#[test]
fn what_is_damaged_while_the_host_runs_is_kept_aside_too() {
    let folder = tempfile::tempdir().unwrap();
    let (_spool, segment) = three(&folder);
    fs::write(segment.path.with_extension("damaged"), b"kept before").unwrap();
    let bytes = damage(&segment.path, 20);
    assert_eq!(segment.read().unwrap(), [record(0, 50)]);
    assert_eq!(fs::read(segment.path.with_extension("damaged")).unwrap(), b"kept before");
    assert_eq!(fs::read(segment.path.with_extension("2.damaged")).unwrap(), bytes);
}

/// Whatever lies in the folder: numbers end where there is no room before or behind, and never turn round.
#[test]
fn numbers_have_ends() {
    for (name, prepended, appended) in [
        ("0000000000000000.spool", false, true),
        ("ffffffffffffffff.spool", true, false),
        ("FFFFFFFFFFFFFFFF.spool", true, true),
        ("+00000000000000f.spool", true, true),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let mut bytes = HEADER.to_vec();
        segment::frame(b"first", &mut bytes);
        fs::write(folder.path().join(name), bytes).unwrap();
        let mut spool = Spool::open(folder.path(), 1 << 20).unwrap();
        assert_eq!(spool.prepend([b"more".as_slice()]).is_ok(), prepended, "{name}");
        assert_eq!(spool.append(b"more").is_ok(), appended, "{name}");
    }
}

#[test]
fn one_host_at_a_time() {
    let folder = tempfile::tempdir().unwrap();
    let first = Spool::open(folder.path(), 1).unwrap();
    let error = Spool::open(folder.path(), 1).unwrap_err();
    assert!(matches!(error, SpoolError::Taken(_)), "{error}");
    drop(first);
    Spool::open(folder.path(), 1).unwrap();
}

/// A file where the folder should be is as unwritable as a folder without the right to write, which root has everywhere.
#[test]
fn a_folder_that_cannot_be_written_is_named() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let error = Spool::open(&file.path().join("spool"), 1).unwrap_err();
    let text = error.to_string();
    assert!(text.contains("cannot be made ([spool] folder)") && text.contains("/spool"), "{text}");
}

/// A disk that takes nothing more, as /dev/full does: what was accepted stays, and is read back from memory.
#[test]
fn a_full_disk_loses_nothing_that_was_accepted() {
    let folder = tempfile::tempdir().unwrap();
    let mut spool = Spool::open(folder.path(), 1 << 30).unwrap();
    let mut accepted = Vec::new();
    for number in 0..10 {
        let next = record(number, 10_000);
        spool.append(&next).unwrap();
        accepted.push(next);
    }
    spool.flush().unwrap();
    let good = Arc::clone(&spool.active.as_ref().unwrap().file);
    spool.active.as_mut().unwrap().file = Arc::new(File::options().write(true).open("/dev/full").unwrap());
    let error = loop {
        let next = record(accepted.len() as u64, 10_000);
        match spool.append(&next) {
            Ok(()) => accepted.push(next),
            Err(error) => break error,
        }
        assert!(accepted.len() < 100, "a full disk takes everything");
    };
    let text = crate::session::chain(&error);
    assert!(text.contains("cannot be written ([spool] folder)") && text.contains("No space left"), "{text}");
    spool.flush().unwrap_err();
    assert_eq!(spool.records(), accepted.len() as u64);

    // Kafka comes back while the disk is still full.
    let segment = spool.oldest().unwrap();
    assert_eq!(segment.read().unwrap(), accepted);
    drop(good);
    spool.remove_oldest().unwrap();
    assert!(spool.is_empty());
}
