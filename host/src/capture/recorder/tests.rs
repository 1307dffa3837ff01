//! What a session hands over is on the disk, in order, whatever the disk does meanwhile.

use std::fs;
use std::path::Path;

use super::*;
use crate::capture::block::Captured;
use crate::capture::folder::Folder;
use crate::capture::header::RequestHeader;

fn config(folder: &Path, segment_bytes: u64, max_bytes: u64) -> CaptureConfig {
    CaptureConfig { folder: folder.to_owned(), segment_bytes, max_bytes }
}

fn header() -> SegmentHeader {
    SegmentHeader {
        format: 1,
        exchange: "acme".to_owned(),
        session: "acme-0".to_owned(),
        stream: String::new(),
        sequence: 0,
        started_at_us: 5,
        plugin: "acme".to_owned(),
        plugin_version: "1.2.3".to_owned(),
        plugin_sha256: "00".to_owned(),
        request: RequestHeader::default(),
    }
}

fn batch(number: u64, bytes: usize) -> FrameBatch {
    let mut rng = fastrand::Rng::with_seed(number);
    let mut batch = FrameBatch::new();
    assert!(batch.push(&number.to_le_bytes()));
    // Not to be compressed.
    assert!(batch.push(&std::iter::repeat_with(|| rng.u8(..)).take(bytes).collect::<Vec<_>>()));
    batch
}

/// Frames by connection and time, frames that are said to be missing, and the folder.
fn read(folder: &Path) -> (Vec<(u32, i64, FrameBatch)>, u64, Folder) {
    let mut found = Folder::open(folder).unwrap();
    let (mut frames, mut missing) = (Vec::new(), 0);
    while let Some((_, captured)) = found.next_captured().unwrap() {
        match captured {
            Captured::Frames { connection, received_at_us, batch } => frames.push((connection, received_at_us, batch)),
            Captured::Lost { frames, .. } => missing += frames,
        }
    }
    (frames, missing, found)
}

#[test]
fn batches_come_back_in_order_over_segments_and_streams() {
    let folder = tempfile::tempdir().unwrap();
    let metrics = CaptureMetrics::default();
    let recorder = Recorder::start(&config(folder.path(), 1 << 20, 1 << 30), metrics.clone()).unwrap();
    let mut streams = [recorder.streams().open(header()), recorder.streams().open(header())];
    let mut expected = Vec::new();
    for number in 0..600_u64 {
        let stream = &mut streams[number as usize % 2];
        if number % 100 < 2 {
            stream.opened();
        }
        let batch = batch(number, 8000);
        stream.record(&batch, number as i64 + 10);
        expected.push((1 + number as u32 / 100, number as i64 + 10, batch));
    }
    drop(streams);
    recorder.finish();
    let (frames, missing, found) = read(folder.path());
    assert!(frames == expected, "{} of {} batches", frames.len(), expected.len());
    assert_eq!((missing, metrics.lost_frames.get(), metrics.frames.get()), (0, 0, 1200));
    assert_eq!(found.streams().len(), 2);
    assert!(found.notes().segments >= 4, "{:?}", found.notes());
    assert_eq!((found.notes().torn, found.notes().missing), (0, 0));
}

#[test]
fn the_oldest_go_when_there_is_too_much() {
    let folder = tempfile::tempdir().unwrap();
    let metrics = CaptureMetrics::default();
    let max_bytes = 4 << 20;
    let recorder = Recorder::start(&config(folder.path(), 1 << 20, max_bytes), metrics.clone()).unwrap();
    let mut stream = recorder.streams().open(header());
    for number in 0..1200_u64 {
        stream.record(&batch(number, 8000), number as i64 + 10);
        while recorder.streams.queued.load(Ordering::Acquire) > QUEUE_BYTES / 2 {
            thread::sleep(Duration::from_millis(1));
        }
    }
    recorder.finish();
    let (frames, missing, found) = read(folder.path());
    let bytes: u64 =
        crate::capture::shelf::files(folder.path()).unwrap().iter().map(|file| fs::metadata(file).unwrap().len()).sum();
    assert!(bytes <= max_bytes && bytes > max_bytes / 2, "{bytes} bytes");
    assert!(metrics.deleted_segments.get() > 3 && found.notes().missing == metrics.deleted_segments.get());
    assert_eq!(missing, 0);
    // The newest are there, without a hole.
    let times: Vec<i64> = frames.iter().map(|(_, time, _)| *time).collect();
    assert!(times.windows(2).all(|pair| pair[0] + 1 == pair[1]) && times.last() == Some(&1209), "{times:?}");
}

#[test]
fn a_disk_that_takes_nothing_costs_only_the_capture() {
    let folder = tempfile::tempdir().unwrap();
    let target = folder.path().join("capture");
    // A file where the folder should be: nobody, not even root, can write into it.
    fs::write(&target, "in the way").unwrap();
    let metrics = CaptureMetrics::default();
    let recorder = Recorder::start(&config(&target, 1 << 20, 1 << 30), metrics.clone()).unwrap();
    let mut stream = recorder.streams().open(header());
    stream.record(&batch(1, 300_000), 10);
    wait_until(|| metrics.lost_frames.get() == 2);
    fs::remove_file(&target).unwrap();
    // Within the pause, and behind it.
    stream.record(&batch(2, 300_000), 11);
    wait_until(|| metrics.lost_frames.get() == 4);
    thread::sleep(Duration::from_millis(2100));
    stream.record(&batch(3, 300_000), 12);
    recorder.finish();
    let (frames, missing, found) = read(&target);
    assert_eq!(frames.iter().map(|(_, time, _)| *time).collect::<Vec<_>>(), [12]);
    assert_eq!((missing, metrics.lost_frames.get()), (4, 4), "what is missing is said");
    assert_eq!(found.notes().missing, 0, "no segment was ever deleted");
}

#[test]
fn what_is_missing_at_the_end_is_said_there() {
    let folder = tempfile::tempdir().unwrap();
    let target = folder.path().join("capture");
    fs::write(&target, "in the way").unwrap();
    let metrics = CaptureMetrics::default();
    let recorder = Recorder::start(&config(&target, 1 << 20, 1 << 30), metrics.clone()).unwrap();
    let mut stream = recorder.streams().open(header());
    stream.record(&batch(1, 300_000), 10);
    wait_until(|| metrics.lost_frames.get() == 2);
    fs::remove_file(&target).unwrap();
    recorder.finish();
    let (frames, missing, _) = read(&target);
    assert_eq!((frames.len(), missing), (0, 2));
}

#[test]
fn a_session_never_waits_and_what_finds_no_room_is_counted() {
    let metrics = CaptureMetrics::default();
    let (sender, receiver) = sync_channel(2);
    let mut stream = CaptureStream {
        info: Arc::new(StreamInfo { number: 1, header: header() }),
        sender,
        queued: Arc::default(),
        metrics: metrics.clone(),
        connection: 1,
        lost: 0,
    };
    for number in 0..5 {
        stream.record(&batch(number, 10), number as i64);
    }
    assert_eq!(metrics.lost_frames.get(), 6, "of three batches with two frames each");
    let _ = receiver.recv().unwrap();
    stream.record(&batch(9, 10), 9);
    let lost: Vec<u64> = receiver
        .try_iter()
        .map(|message| match message {
            Message::Frames { lost, .. } => lost,
            Message::Stop => 99,
        })
        .collect();
    assert_eq!(lost, [0, 6]);
    // And by bytes: one that is larger than all that may wait.
    stream.record(&batch(10, QUEUE_BYTES), 10);
    assert_eq!(metrics.lost_frames.get(), 8);
}

#[test]
fn a_torn_tail_costs_only_the_tail() {
    let folder = tempfile::tempdir().unwrap();
    let recorder = Recorder::start(&config(folder.path(), 1 << 20, 1 << 30), CaptureMetrics::default()).unwrap();
    let mut stream = recorder.streams().open(header());
    for number in 0..3 {
        stream.record(&batch(number, 300_000), number as i64 + 10);
    }
    recorder.finish();
    let files = crate::capture::shelf::files(folder.path()).unwrap();
    let file = fs::OpenOptions::new().write(true).open(&files[0]).unwrap();
    file.set_len(file.metadata().unwrap().len() - 7).unwrap();
    let (frames, _, found) = read(folder.path());
    assert_eq!(frames.len(), 2);
    assert!(found.notes().torn == 1 && found.notes().torn_bytes > 100_000, "{:?}", found.notes());
}

fn wait_until(mut look: impl FnMut() -> bool) {
    for _ in 0..1000 {
        if look() {
            return;
        }
        thread::sleep(Duration::from_millis(10));
    }
    panic!("waited in vain");
}
