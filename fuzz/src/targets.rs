//! The targets.

mod answer;
mod backfill;
mod capture;
mod config;
mod damage;
mod decode;
mod description;
mod folder;
mod letter;
mod plan;
mod position;
mod reach;
mod scanner;
mod spool;

/// Something that reads foreign bytes.
#[derive(Clone, Copy, Debug)]
pub struct Target {
    /// Its name, and that of its folder in `corpus/`.
    pub name: &'static str,
    /// Reads bytes, and panics where a promise does not hold.
    pub run: fn(&[u8]),
}

/// All of them.
pub const TARGETS: &[Target] = &[
    Target { name: "scanner", run: scanner::run },
    Target { name: "binance", run: decode::binance },
    Target { name: "kraken", run: decode::kraken },
    Target { name: "config", run: config::run },
    Target { name: "description", run: description::run },
    Target { name: "plan", run: plan::run },
    Target { name: "answer", run: answer::run },
    Target { name: "backfill", run: backfill::run },
    Target { name: "spool", run: spool::run },
    Target { name: "capture", run: capture::run },
    Target { name: "position", run: position::run },
    Target { name: "letter", run: letter::run },
];

/// Characters that a terminal obeys.
fn is_obeyed(character: char) -> bool {
    character.is_control()
        || matches!(character, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

/// A plugin's reason, as it goes into logs and headers.
fn check_reason(reason: &str) {
    assert!(!reason.is_empty() && reason.len() <= 1024 && !reason.chars().any(is_obeyed), "{reason:?}");
}

/// A sentence of the host about something foreign.
fn check_sentence(sentence: &str) {
    assert!(sentence.len() <= 2048 && !sentence.chars().any(is_obeyed), "{sentence:?}");
}
