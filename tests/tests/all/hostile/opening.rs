//! Plugins that lie or loop when a connection is to be opened.

use tapedeck::plugin::{Fault, FaultKind, OpenFailure};

use super::{plugin, request};

#[test]
fn a_plan_that_must_not_be_followed_is_refused() {
    let plugin = plugin("open-lies");
    for (lie, part) in [
        ("url", "wss://elsewhere.invalid/ is on none of its own hosts (hostile.invalid)"),
        ("scheme", "file:///etc/passwd"),
        ("few_symbols", "0 symbols for 2 markets"),
        ("same_symbols", "markets BTC/USDT and ETH/USDT alike"),
        ("empty_symbol", "market BTC/USDT"),
        ("control_symbol", "`\\u{1b}[2J\\u{d}\\u{a}0`"),
        ("bidi_symbol", "`\\u{202e}0`"),
        ("control_url", "wss://hostile.invalid/\\u{9b}2J\\u{202e} has characters that a url must encode"),
        ("idle", "after 0 ms"),
        ("ping", "every 0 ms"),
        ("messages", "20000 messages"),
    ] {
        let failure = plugin.open(request(&[("lie", lie)])).unwrap_err();
        assert!(matches!(failure, OpenFailure::Plan { .. }), "{lie}: {failure:?}");
        let sentence = failure.to_string();
        assert!(!sentence.chars().any(|character| character.is_control() || character == '\u{202e}'), "{sentence}");
        assert!(sentence.contains("open_lies 0.1.0") && sentence.contains(part), "{lie}: {sentence}");
    }
}

#[test]
fn a_refusal_is_bounded_and_names_no_market_that_is_not_there() {
    let failure = plugin("open-lies").open(request(&[("lie", "refusal")])).unwrap_err();
    let OpenFailure::Refused { market: None, reason, .. } = &failure else { panic!("{failure:?}") };
    assert!(reason.len() <= 1024 && reason.starts_with("\\u{1b}[2Jno"), "{reason}");
}

#[test]
fn a_plan_that_never_comes_is_stopped() {
    let failure = plugin("open-loops").open(request(&[])).unwrap_err();
    let OpenFailure::Fault { fault: Fault { kind: FaultKind::Limit, reason }, .. } = &failure else {
        panic!("{failure:?}")
    };
    assert!(reason.contains("longer than the 400 ms"), "{reason}");
    // And not only once.
    assert!(plugin("open-loops").open(request(&[])).is_err());
}

#[test]
fn a_url_without_tls_needs_the_users_word() {
    let plugin = plugin("traps");
    let local = |allow_plain| {
        let endpoint = Some("ws://127.0.0.1:9001".to_owned());
        plugin.open(tapedeck::plugin::OpenRequest { endpoint, allow_plain, ..request(&[]) })
    };
    assert_eq!(local(true).unwrap().1.url, "ws://127.0.0.1:9001/lines");
    let sentence = local(false).unwrap_err().to_string();
    assert!(sentence.contains("allow_plain = true"), "{sentence}");
}
