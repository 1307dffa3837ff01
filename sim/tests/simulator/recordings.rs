//! Recorded sockets and CSVs of trades.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use flate2::Compression;
use flate2::write::GzEncoder;
use tapedeck_sim::{Exchange, Simulator, SimulatorOptions, Source, Speed};

use crate::client::{Client, get_json, read_binance, told};

const LINES: &str = concat!(
    "1000000000 {\"stream\":\"ethusdt@bookTicker\",\"data\":{\"u\":1,\"s\":\"ETHUSDT\"}}\n",
    "1000000000 {\"stream\":\"ethusdt@trade\",\"data\":{\"e\":\"trade\",\"E\":2,\"s\":\"ETHUSDT\",\"t\":5,\"p\":\"1.50\",",
    "\"q\":\"0.20\",\"T\":1723161255611,\"m\":true,\"M\":true}}\n",
    "1300000000 {\"stream\":\"ethusdt@trade\",\"data\":{\"e\":\"trade\",\"E\":2,\"s\":\"ETHUSDT\",\"t\":6,\"p\":\"1.60\",",
    "\"q\":\"0.30\",\"T\":1723161255612,\"m\":false,\"M\":true}}\n",
);

fn write_gzip(folder: &Path, lines: &str) -> PathBuf {
    let file = folder.join("socket.gz");
    let mut encoder = GzEncoder::new(std::fs::File::create(&file).unwrap(), Compression::fast());
    encoder.write_all(lines.as_bytes()).unwrap();
    encoder.finish().unwrap();
    file
}

fn replay(files: Vec<PathBuf>) -> SimulatorOptions {
    let mut options = SimulatorOptions::new(Exchange::Binance);
    options.source = Source::Recordings(files);
    options
}

/// The folder with recorded sockets, or one line that says that a test was skipped.
fn recorded(what: &str) -> Option<PathBuf> {
    let default = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/recorded");
    let path = std::env::var_os("TAPEDECK_RECORDED").map_or(default, PathBuf::from).join(what);
    if !path.exists() {
        println!("skipped: there is no {}; set TAPEDECK_RECORDED to the folder of recordings", path.display());
    }
    path.exists().then_some(path)
}

#[tokio::test]
async fn frames_come_as_recorded_by_subscription() {
    let folder = tempfile::tempdir().unwrap();
    let file = write_gzip(folder.path(), LINES);
    let mut options = replay(vec![file.clone(), file]);
    options.wait_for_subscribers = 1;
    options.autostart = false;
    let simulator = Simulator::start(options).await.unwrap();
    let mut all = Client::connect(&simulator, "/stream?streams=ethusdt@trade/ethusdt@bookTicker").await;
    let mut trades = Client::connect(&simulator, "/ws/ethusdt@trade").await;
    while simulator.status().connections < 2 {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    simulator.start_publishing();
    for _ in 0..2 {
        for line in LINES.lines() {
            let message = line.split_once(' ').unwrap().1;
            assert_eq!(all.next_text().await.unwrap().as_str(), message);
            if let Some((_, data)) = message.split_once("@trade\",\"data\":") {
                assert_eq!(trades.next_text().await.unwrap().as_str(), data.strip_suffix('}').unwrap());
            }
        }
    }
    simulator.wait_until_finished().await;
    let truth = simulator.truth();
    assert_eq!(truth.len(), 2, "the second file repeats the first's trades");
    assert_eq!((truth[0].canonical_symbol.as_str(), truth[0].symbol.as_str()), ("ETH/USDT", "ETHUSDT"));
    assert_eq!(told(&truth[1]), (6, "1.60".to_owned(), "0.30".to_owned(), "BUY", 1_723_161_255_612_000));
    let rest = get_json(&simulator, "/api/v3/historicalTrades?symbol=ETHUSDT&fromId=6").await;
    assert_eq!((&rest[0]["id"], rest.as_array().unwrap().len()), (&serde_json::json!(6), 1));
}

#[tokio::test]
async fn a_speed_is_kept() {
    let folder = tempfile::tempdir().unwrap();
    // Five minutes between two trades, at a thousand times the speed.
    let lines = LINES.replace("1300000000 ", "301000000000 ");
    let mut options = replay(vec![write_gzip(folder.path(), &lines)]);
    (options.speed, options.wait_for_subscribers) = (Speed::Thousandths(1_000_000), 1);
    let simulator = Simulator::start(options).await.unwrap();
    let started = Instant::now();
    let mut client = Client::connect(&simulator, "/ws/ethusdt@trade").await;
    client.next_text().await.unwrap();
    client.next_text().await.unwrap();
    let taken = started.elapsed();
    assert!((300..9_000).contains(&taken.as_millis()), "{taken:?}");
}

#[tokio::test]
async fn what_cannot_be_replayed_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let reason = |options: SimulatorOptions| async move { Simulator::start(options).await.unwrap_err().to_string() };
    let missing = reason(replay(vec![folder.path().join("missing.gz")])).await;
    assert!(missing.contains("cannot open") && missing.contains("missing.gz"), "{missing}");
    let broken = write_gzip(folder.path(), "1000 {\"stream\":\"a@trade\",\"data\":{\"t\":1}}\n");
    let broken = reason(replay(vec![broken])).await;
    assert!(broken.contains("line 1: not a trade"), "{broken}");
    let mut kraken = replay(Vec::new());
    kraken.exchange = Exchange::Kraken;
    assert!(reason(kraken).await.contains("binance only"));
    assert!(reason(SimulatorOptions::new(Exchange::Kraken)).await.contains("no markets"));
}

#[tokio::test]
async fn two_recorded_files_of_ethusdt_hold_14515_trades() {
    let Some(folder) = recorded("replay") else { return };
    let files = ["08", "09"].map(|day| folder.join(format!("binance_spot_ethusdt_202408{day}.gz")));
    let simulator = Simulator::start(replay(files.to_vec())).await.unwrap();
    let mut client = Client::connect(&simulator, "/stream?streams=ethusdt@trade").await;
    let mut received = Vec::new();
    for _ in 0..14_515 {
        received.push(read_binance(&client.next_json().await["data"]));
    }
    simulator.wait_until_finished().await;
    let truth: Vec<_> = simulator.truth().iter().map(told).collect();
    assert_eq!(truth.len(), 14_515);
    assert!(received == truth);
    assert!(truth.windows(2).all(|pair| pair[0].0 + 1 == pair[1].0), "dense over midnight");
}

#[tokio::test]
async fn a_csv_is_published_digit_by_digit() {
    let Some(file) = recorded("candles/binance_XRPETH_201910/trades.csv") else { return };
    let mut options = SimulatorOptions::new(Exchange::Binance).with_markets(["XRP/ETH"]).unwrap();
    options.source = Source::TradesCsv(file.clone());
    let simulator = Simulator::start(options).await.unwrap();
    let mut client = Client::connect(&simulator, "/stream?streams=xrpeth@trade").await;
    let text = std::fs::read_to_string(file).unwrap();
    for row in text.lines().skip(1) {
        let cells: Vec<&str> = row.trim().split(',').collect();
        let (id, price, quantity, side, time) = read_binance(&client.next_json().await["data"]);
        let received = [time.to_string(), price, quantity, side.to_lowercase(), id.to_string()];
        assert_eq!(received[..], cells[..]);
    }
    simulator.wait_until_finished().await;
    assert_eq!(simulator.truth().len(), 12_477);
}
