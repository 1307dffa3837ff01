//! Files of messages: the plugin's own fixtures, and recordings where they are there.

use std::path::Path;

use tapedeck_plugin_kraken::Kraken;
use tapedeck_sdk::testing::{self, Opening, check_messages, read_messages, recorded_messages};

#[test]
fn fixtures() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/messages.jsonl");
    check_messages::<Kraken>(Opening::new(&[]), &read_messages(&file)).assert_passed();
}

#[test]
fn recorded() {
    let Some(file) = recorded_messages("kraken.jsonl") else { return };
    check_messages::<Kraken>(Opening::new(&[]), &read_messages(&file)).assert_passed();
}

#[test]
fn recorded_v1_is_refused_frame_by_frame() {
    let Some(file) = recorded_messages("kraken_v1.jsonl") else { return };
    let messages = read_messages(&file);
    assert!(!messages.is_empty());
    let mut session = testing::open::<Kraken>(&["XMR/USD", "SC/EUR", "XBT/USD"]);
    for message in &messages {
        let reason = session.refusal(&message.raw);
        assert!(reason.contains("WebSocket v1"), "line {}: {reason}", message.line);
    }
    let frames: Vec<&str> = messages.iter().map(|message| message.raw.as_str()).collect();
    let decoded = session.decode(&frames);
    let refused: Vec<u32> = decoded.refusals.iter().map(|refusal| refusal.frame).collect();
    assert_eq!(refused, (0..frames.len() as u32).collect::<Vec<u32>>());
}
