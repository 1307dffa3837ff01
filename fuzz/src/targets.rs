//! The targets.

mod answer;
mod config;
mod decode;
mod scanner;

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
    Target { name: "answer", run: answer::run },
];

/// Characters that a terminal obeys.
fn is_obeyed(character: char) -> bool {
    character.is_control() || matches!(character, '\u{2028}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}
