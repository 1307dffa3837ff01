//! Files of messages with the trades that they hold: the plugin's own fixtures, and recorded ones where they are there.

use std::path::Path;

use tapedeck_plugin_binance::Binance;
use tapedeck_sdk::testing::{Opening, check_messages, read_messages, recorded_messages};

#[test]
fn the_fixtures_pass() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/messages.jsonl");
    let report = check_messages::<Binance>(Opening::new(&[]), &read_messages(&file));
    report.assert_passed();
}

#[test]
fn the_recorded_messages_pass() {
    let Some(file) = recorded_messages("binance.jsonl") else { return };
    let report = check_messages::<Binance>(Opening::new(&[]), &read_messages(&file));
    report.assert_passed();
    println!("{} recorded messages passed", report.passed);
}
