//! A spool that takes no more says so once, and once that it is over.

use std::fs;
use std::io::{self, Write};
use std::path::Path;
use std::sync::{Arc, Mutex};

use tracing::subscriber::DefaultGuard;

use super::*;
use crate::sink::Account;

/// Collects what is logged.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Log {
    /// How often each of these was said.
    fn counts<const N: usize>(&self, texts: [&str; N]) -> [usize; N] {
        let said = String::from_utf8(self.0.lock().unwrap().clone()).unwrap();
        texts.map(|text| said.matches(text).count())
    }
}

/// A spool of so many bytes, and what it logs for as long as the third is kept.
fn open(folder: &Path, max_bytes: u64) -> (Overflow, Log, DefaultGuard) {
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt().with_ansi(false).with_writer(move || writer.clone()).finish();
    let guard = tracing::subscriber::set_default(subscriber);
    let config = SpoolConfig { folder: folder.to_owned(), max_bytes };
    (Overflow::open(&config, SinkMetrics::default()).unwrap(), log, guard)
}

fn keep(overflow: &Overflow, bytes: usize) -> Kept {
    let payload = vec![b'x'; bytes];
    let account = Account::NONE;
    overflow.keep(&Outgoing { topic: "t", key: b"k", payload: &payload, headers: None, account }, true)
}

/// So often that what is said each time would be seen.
fn keep_in_vain(overflow: &Overflow, bytes: usize) {
    for _ in 0..20 {
        assert!(matches!(keep(overflow, bytes), Kept::NotNow));
        overflow.sync();
    }
}

const TEXTS: [&str; 4] = [
    "records go to the spool",
    "the spool takes no more",
    "the spool takes records again",
    "records go to Kafka directly",
];

#[tokio::test(start_paused = true)]
async fn a_full_spool_says_so_once_and_once_that_it_is_over() {
    let folder = tempfile::tempdir().unwrap();
    let (overflow, log, _guard) = open(folder.path(), 100_000);
    assert!(matches!(keep(&overflow, 50_000), Kept::Yes));
    assert!(matches!(overflow.take_oldest(), Some((_, true))));
    overflow.reopen();
    assert!(matches!(keep(&overflow, 40_000), Kept::Yes));
    keep_in_vain(&overflow, 20_000);
    tokio::time::sleep(CALM).await;
    // What would fit does not overtake what does not.
    keep_in_vain(&overflow, 10);
    assert_eq!(log.counts(TEXTS), [1, 1, 0, 0]);

    overflow.remove_oldest();
    assert!(matches!(keep(&overflow, 50_000), Kept::Yes));
    overflow.sync();
    keep_in_vain(&overflow, 50_000);
    assert_eq!(log.counts(TEXTS), [1, 1, 0, 0], "there was room for a moment");
    assert!(overflow.take_oldest().is_some());
    overflow.reopen();
    overflow.remove_oldest();
    tokio::time::sleep(CALM).await;
    overflow.sync();
    assert_eq!(log.counts(TEXTS), [1, 1, 0, 0], "nothing was taken since");
    assert!(matches!(keep(&overflow, 50_000), Kept::Yes));
    overflow.sync();
    overflow.sync();
    assert_eq!(log.counts(TEXTS), [1, 1, 1, 0]);
}

#[tokio::test(start_paused = true)]
async fn a_folder_that_is_gone_is_said_once_and_forgotten_when_kafka_is_back() {
    let folder = tempfile::tempdir().unwrap();
    let spool = folder.path().join("spool");
    let (overflow, log, _guard) = open(&spool, 100_000);
    fs::remove_dir_all(&spool).unwrap();
    keep_in_vain(&overflow, 10);
    assert_eq!(log.counts(TEXTS), [0, 1, 0, 0]);
    overflow.passed_by();
    overflow.passed_by();
    assert_eq!(log.counts(["the spool, which took no more, is not needed"]), [1]);
    keep_in_vain(&overflow, 10);
    assert_eq!(log.counts(TEXTS), [0, 2, 0, 0], "the next outage is said as well");
    fs::create_dir(&spool).unwrap();
    assert!(matches!(keep(&overflow, 10), Kept::Yes));
    assert!(matches!(overflow.take_oldest(), Some((_, true))));
    overflow.close();
    assert_eq!(log.counts(TEXTS), [1, 2, 0, 1]);
}

#[test]
fn what_goes_behind_the_last_piece_is_not_overtaken() {
    let folder = tempfile::tempdir().unwrap();
    let (overflow, log, _guard) = open(folder.path(), 100_000);
    assert!(matches!(keep(&overflow, 10), Kept::Yes));
    assert!(matches!(overflow.take_oldest(), Some((_, true))));
    assert!(matches!(keep(&overflow, 10), Kept::NotNow), "the last piece is handed over");
    overflow.reopen();
    assert!(matches!(keep(&overflow, 10), Kept::Yes));
    overflow.close();
    overflow.remove_oldest();
    assert!(overflow.is_active(), "there is one more");
    assert_eq!(log.counts(TEXTS), [1, 0, 0, 0]);
    assert!(matches!(overflow.take_oldest(), Some((_, true))));
    overflow.close();
    overflow.remove_oldest();
    assert!(!overflow.is_active() && overflow.take_oldest().is_none());
    assert_eq!(log.counts(TEXTS), [1, 0, 0, 1]);
}
