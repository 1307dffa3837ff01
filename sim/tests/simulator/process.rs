//! The binary: its line on stdout, its truth file, its exit codes.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

use serde_json::Value;
use tapedeck_sim::TRUTH_HEADER;

fn simulator(arguments: &[&str]) -> Child {
    Command::new(env!("CARGO_BIN_EXE_tapedeck-sim"))
        .args(arguments)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

fn first_line(child: &mut Child) -> Value {
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    serde_json::from_str(&line).unwrap()
}

#[test]
fn a_signal_writes_the_truth() {
    let folder = tempfile::tempdir().unwrap();
    let truth = folder.path().join("truth.csv");
    let arguments = ["--exchange", "kraken", "--markets", "BTC/USD,ETH/USD", "--rate", "100000", "--truth"];
    let mut child = simulator(&[&arguments[..], &[truth.to_str().unwrap()]].concat());
    let urls = first_line(&mut child);
    assert_eq!(urls["exchange"], "kraken");
    assert_eq!(urls["ws"].as_str().unwrap().replace("ws://", "http://"), urls["rest"]);
    std::thread::sleep(std::time::Duration::from_millis(200));
    let killed = Command::new("kill").arg(child.id().to_string()).status().unwrap();
    assert!(killed.success() && child.wait().unwrap().success());
    let csv = std::fs::read_to_string(&truth).unwrap();
    assert!(csv.starts_with(TRUTH_HEADER) && csv.lines().count() > 1_000, "{} lines", csv.lines().count());
}

#[test]
fn one_command_line_gives_one_truth() {
    let folder = tempfile::tempdir().unwrap();
    let run = |name: &str| {
        let truth = folder.path().join(name);
        let arguments = "--exchange binance --markets BTC/USDT,ETH/USDT --rate 50000 --seed 9 --trades 5000 \
                         --clock-start 2024-08-08T23:59:59Z --faults late=0.01 --exit-when-finished --truth";
        let arguments: Vec<&str> = arguments.split_whitespace().chain(truth.to_str()).collect();
        assert!(simulator(&arguments).wait().unwrap().success());
        std::fs::read_to_string(&truth).unwrap()
    };
    let first = run("first.csv");
    assert_eq!(first.lines().count(), 5_001);
    assert!(first == run("second.csv"));
}

#[test]
fn bad_flags_exit_64_with_a_sentence() {
    for (arguments, sentence) in [
        (&["--exchange", "nasdaq"][..], "use binance or kraken"),
        (&["--exchange", "binance", "--markets", "BTCUSDT"], "write BASE/QUOTE in upper case"),
        (&["--exchange", "binance", "--markets", "BTC/USDT", "--rate", "fast"], "trades a second above 0, or max"),
        (&["--exchange", "binance", "--markets", "BTC/USDT", "--faults", "cuts=3s"], "there is no fault `cuts`"),
        (&["--exchange", "binance", "--markets", "BTC/USDT,BTC/USDT"], "given twice"),
        (&["--exchange", "binance", "--markets", "BTC/USDT", "--clock-start", "noon"], "`noon` is not a time"),
    ] {
        let output = simulator(arguments).wait_with_output().unwrap();
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(64), "{arguments:?}: {stderr}");
        assert!(stderr.contains(sentence), "{arguments:?}: {stderr}");
    }
}
