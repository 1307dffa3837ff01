//! A spool that takes no more says so once, and once that it is over.

use std::fs;
use std::path::Path;

use super::*;
use crate::log::Heard;
use crate::sink::Account;

/// How often each of these was said.
fn counts<const N: usize>(heard: &Heard, texts: [&str; N]) -> [usize; N] {
    let said = heard.text();
    texts.map(|text| said.matches(text).count())
}

/// A spool of so many bytes, and what is logged from now on.
fn open(folder: &Path, max_bytes: u64) -> (Overflow, Heard) {
    let heard = Heard::listen();
    let config = SpoolConfig { folder: folder.to_owned(), max_bytes };
    (Overflow::open(&config, SinkMetrics::default()).unwrap(), heard)
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
    let (overflow, heard) = open(folder.path(), 100_000);
    assert!(matches!(keep(&overflow, 50_000), Kept::Yes));
    assert!(matches!(overflow.take_oldest(), Some((_, true))));
    overflow.reopen();
    assert!(matches!(keep(&overflow, 40_000), Kept::Yes));
    keep_in_vain(&overflow, 20_000);
    tokio::time::sleep(CALM).await;
    // What would fit does not overtake what does not.
    keep_in_vain(&overflow, 10);
    assert_eq!(counts(&heard, TEXTS), [1, 1, 0, 0]);

    overflow.remove_oldest();
    assert!(matches!(keep(&overflow, 50_000), Kept::Yes));
    overflow.sync();
    keep_in_vain(&overflow, 50_000);
    assert_eq!(counts(&heard, TEXTS), [1, 1, 0, 0], "there was room for a moment");
    assert!(overflow.take_oldest().is_some());
    overflow.reopen();
    overflow.remove_oldest();
    tokio::time::sleep(CALM).await;
    overflow.sync();
    assert_eq!(counts(&heard, TEXTS), [1, 1, 0, 0], "nothing was taken since");
    assert!(matches!(keep(&overflow, 50_000), Kept::Yes));
    overflow.sync();
    overflow.sync();
    assert_eq!(counts(&heard, TEXTS), [1, 1, 1, 0]);
}

#[tokio::test(start_paused = true)]
async fn a_folder_that_is_gone_is_said_once_and_forgotten_when_kafka_is_back() {
    let folder = tempfile::tempdir().unwrap();
    let spool = folder.path().join("spool");
    let (overflow, heard) = open(&spool, 100_000);
    fs::remove_dir_all(&spool).unwrap();
    keep_in_vain(&overflow, 10);
    assert_eq!(counts(&heard, TEXTS), [0, 1, 0, 0]);
    overflow.passed_by();
    overflow.passed_by();
    assert_eq!(counts(&heard, ["the spool, which took no more, is not needed"]), [1]);
    keep_in_vain(&overflow, 10);
    assert_eq!(counts(&heard, TEXTS), [0, 2, 0, 0], "the next outage is said as well");
    fs::create_dir(&spool).unwrap();
    assert!(matches!(keep(&overflow, 10), Kept::Yes));
    assert!(matches!(overflow.take_oldest(), Some((_, true))));
    overflow.close();
    assert_eq!(counts(&heard, TEXTS), [1, 2, 0, 1]);
}

#[test]
fn what_goes_behind_the_last_piece_is_not_overtaken() {
    let folder = tempfile::tempdir().unwrap();
    let (overflow, heard) = open(folder.path(), 100_000);
    assert!(matches!(keep(&overflow, 10), Kept::Yes));
    assert!(matches!(overflow.take_oldest(), Some((_, true))));
    assert!(matches!(keep(&overflow, 10), Kept::NotNow), "the last piece is handed over");
    overflow.reopen();
    assert!(matches!(keep(&overflow, 10), Kept::Yes));
    overflow.close();
    overflow.remove_oldest();
    assert!(overflow.is_active(), "there is one more");
    assert_eq!(counts(&heard, TEXTS), [1, 0, 0, 0]);
    assert!(matches!(overflow.take_oldest(), Some((_, true))));
    overflow.close();
    overflow.remove_oldest();
    assert!(!overflow.is_active() && overflow.take_oldest().is_none());
    assert_eq!(counts(&heard, TEXTS), [1, 0, 0, 1]);
}
