//! Whole recordings of a socket, where they are there: every trade comes out once, in order, with no id missing.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};

use flate2::read::MultiGzDecoder;
use tapedeck_plugin_binance::Binance;
use tapedeck_sdk::testing::{self, Opened};

/// Two recordings of one market that run on from each other across midnight.
const FILES: [&str; 2] = ["binance_spot_ethusdt_20240808.gz", "binance_spot_ethusdt_20240809.gz"];

/// Frames decoded as one batch.
const BATCH: usize = 256;

#[derive(Default)]
struct Tally {
    trades: usize,
    refused: usize,
    frames: usize,
    last_id: Option<u64>,
    last_time: i64,
}

impl Tally {
    fn take(&mut self, session: &mut Opened<Binance>, frames: &[String]) {
        let decoded = session.decode(frames);
        self.frames += frames.len();
        self.refused += decoded.refusals.len();
        assert!(decoded.events.is_empty(), "{:?}", decoded.events);
        for refusal in &decoded.refusals {
            let frame = &frames[refusal.frame as usize];
            assert!(!frame.contains("@trade\""), "{}: {frame}", refusal.reason);
        }
        for trade in &decoded.trades {
            let id = trade.order;
            if let Some(last) = self.last_id {
                assert_eq!(id, last + 1, "the ids are dense");
            }
            assert!(trade.timestamp >= self.last_time, "time runs backwards at id {id}");
            self.last_id = Some(id);
            self.last_time = trade.timestamp;
        }
        self.trades += decoded.trades.len();
        assert_eq!(decoded.trades.len() + decoded.refusals.len(), frames.len(), "each frame is a trade or refused");
    }
}

#[test]
fn the_recorded_sockets_give_each_trade_once() {
    let Some(files) = recordings() else { return };
    let mut session = testing::open::<Binance>(&["ETH/USDT"]);
    let mut tally = Tally::default();
    for file in files {
        let lines = BufReader::new(MultiGzDecoder::new(File::open(&file).unwrap())).lines();
        let mut frames = Vec::with_capacity(BATCH);
        for line in lines {
            let line = line.unwrap();
            let (_received, message) = line.split_once(' ').unwrap();
            frames.push(message.to_owned());
            if frames.len() == BATCH {
                tally.take(&mut session, &frames);
                frames.clear();
            }
        }
        tally.take(&mut session, &frames);
    }
    assert_eq!(tally.trades, 14_515);
    println!("{} frames: {} trades, {} refused", tally.frames, tally.trades, tally.refused);
}

fn recordings() -> Option<Vec<PathBuf>> {
    let folder = std::env::var_os("TAPEDECK_RECORDED")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/recorded"), PathBuf::from);
    let files: Vec<PathBuf> = FILES.iter().map(|file| folder.join("replay").join(file)).collect();
    if files.iter().all(|file| file.is_file()) {
        return Some(files);
    }
    println!("skipped: no recordings at {} (TAPEDECK_RECORDED names their folder)", folder.display());
    None
}
