//! The markets of a session: the exchange's spelling of each, and the way back from a frame's symbol to a market's index.

use crate::{Market, OpenError, Reason};

/// A canonical market name, taken apart at its `/`. Only canonical names are taken apart: where an exchange's own symbol
/// `ABCDEF` splits cannot be known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pair<'a> {
    /// What is traded, for example `BTC`.
    pub base: &'a str,
    /// What it is paid in, for example `USDT`.
    pub quote: &'a str,
}

impl<'a> Pair<'a> {
    /// Takes `BASE/QUOTE` apart.
    ///
    /// # Errors
    ///
    /// A sentence that shows the name and how it should look.
    pub fn parse(name: &'a str) -> Result<Self, Reason> {
        let wrong = |what: &str| {
            Reason::from(format!("market {name:?} {what}; a market is written BASE/QUOTE, for example BTC/USDT"))
        };
        let Some((base, quote)) = name.split_once('/') else {
            return Err(wrong("has no `/`"));
        };
        if quote.contains('/') {
            return Err(wrong("has more than one `/`"));
        }
        if base.is_empty() || quote.is_empty() {
            return Err(wrong("has nothing on one side of the `/`"));
        }
        if name.chars().any(|c| c.is_whitespace() || c.is_control()) {
            return Err(wrong("has a space or control character in it"));
        }
        if name.chars().any(char::is_lowercase) {
            let upper = name.to_uppercase();
            return Err(format!("market {name:?} is not in upper case; write {upper:?}").into());
        }
        Ok(Self { base, quote })
    }
}

/// The table of a session's markets.
#[derive(Debug, Clone)]
pub struct Markets {
    symbols: Vec<String>,
    /// Open addressing, a power of two of slots, at most half of them used.
    slots: Vec<Option<Slot>>,
}

#[derive(Debug, Clone, Copy)]
struct Slot {
    key: Key,
    market: u32,
}

impl Markets {
    /// Spells each market: as the user says where they do, else as `spell` makes it from the canonical name.
    ///
    /// # Errors
    ///
    /// A sentence, with the market's index: the name is not `BASE/QUOTE`, `spell` refused it, or two markets have the
    /// same symbol.
    pub fn new<S>(markets: &[Market], spell: S) -> Result<Self, OpenError>
    where
        S: Fn(Pair<'_>) -> Result<String, Reason>,
    {
        let slots = vec![None; (markets.len() * 2).next_power_of_two().max(2)];
        let mut table = Self { symbols: Vec::with_capacity(markets.len()), slots };
        for (index, market) in markets.iter().enumerate() {
            let pair = Pair::parse(&market.name).map_err(|reason| OpenError::of_market(index, reason))?;
            let symbol = match &market.symbol {
                Some(symbol) => own_spelling(&market.name, symbol),
                None => spell(pair),
            };
            let symbol = symbol.map_err(|reason| OpenError::of_market(index, reason))?;
            if let Some(other) = table.find(symbol.as_bytes()) {
                let other = &markets[other as usize].name;
                let reason = format!("markets {other:?} and {:?} are both spelled {symbol:?}", market.name);
                return Err(OpenError::of_market(index, reason));
            }
            table.insert(symbol);
        }
        Ok(table)
    }

    /// The index of the market that the exchange spells like this, byte for byte; none if the session has no such market.
    #[must_use]
    pub fn find(&self, symbol: &[u8]) -> Option<u32> {
        let key = Key::of(symbol);
        let mask = self.slots.len() - 1;
        let mut at = key.hash() & mask;
        while let Some(slot) = self.slots[at] {
            let same = slot.key == key
                && (symbol.len() <= Key::EXACT || self.symbols[slot.market as usize].as_bytes() == symbol);
            if same {
                return Some(slot.market);
            }
            at = (at + 1) & mask;
        }
        None
    }

    /// The exchange's spelling of a market; none if there is no market with this index.
    #[must_use]
    pub fn symbol(&self, market: u32) -> Option<&str> {
        self.symbols.get(market as usize).map(String::as_str)
    }

    /// All spellings, in the order of the markets: what a session plan wants.
    #[must_use]
    pub fn symbols(&self) -> &[String] {
        &self.symbols
    }

    /// How many markets there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.symbols.len()
    }

    /// Whether there is no market.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.symbols.is_empty()
    }

    fn insert(&mut self, symbol: String) {
        let key = Key::of(symbol.as_bytes());
        let mask = self.slots.len() - 1;
        let mut at = key.hash() & mask;
        while self.slots[at].is_some() {
            at = (at + 1) & mask;
        }
        self.slots[at] = Some(Slot { key, market: self.symbols.len() as u32 });
        self.symbols.push(symbol);
    }
}

/// The user's spelling is taken as it is, unless no exchange can have it.
fn own_spelling(name: &str, symbol: &str) -> Result<String, Reason> {
    if symbol.is_empty() || symbol.chars().any(|c| c.is_whitespace() || c.is_control()) {
        return Err(format!("the symbol {symbol:?} given for market {name:?} is empty or has a space in it").into());
    }
    Ok(symbol.to_owned())
}

/// A symbol's length, first eight and last eight bytes: up to 16 bytes that is all of it, so that finding a market takes
/// two comparisons of words and no loop over bytes, which a guest pays for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Key {
    first: u64,
    last: u64,
    length: usize,
}

impl Key {
    /// Symbols up to this length are told apart by their keys alone.
    const EXACT: usize = 16;

    fn of(symbol: &[u8]) -> Self {
        let length = symbol.len();
        if let (Some(first), Some(last)) = (symbol.first_chunk(), symbol.last_chunk()) {
            return Self { first: u64::from_le_bytes(*first), last: u64::from_le_bytes(*last), length };
        }
        if let (Some(first), Some(last)) = (symbol.first_chunk(), symbol.last_chunk()) {
            let (first, last) = (u32::from_le_bytes(*first), u32::from_le_bytes(*last));
            return Self { first: u64::from(first), last: u64::from(last), length };
        }
        let first = symbol.iter().fold(0, |word, &byte| word << 8 | u64::from(byte));
        Self { first, last: 0, length }
    }

    fn hash(self) -> usize {
        // Multiplication moves what differs to the upper bits; symbols differ anywhere in their bytes.
        let mixed = (self.first ^ self.last.rotate_left(29) ^ self.length as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        (mixed >> 40) as usize
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn market(name: &str, symbol: Option<&str>) -> Market {
        Market { name: name.to_owned(), symbol: symbol.map(str::to_owned) }
    }

    fn joined(pair: Pair<'_>) -> Result<String, Reason> {
        Ok(format!("{}{}", pair.base, pair.quote))
    }

    #[test]
    fn spells_and_finds() {
        let markets = [market("BTC/USDT", None), market("ETH/USDT", None), market("BTC/EUR", Some("XBT-EUR"))];
        let table = Markets::new(&markets, joined).unwrap();
        assert_eq!(table.symbols(), ["BTCUSDT", "ETHUSDT", "XBT-EUR"]);
        assert_eq!(table.find(b"ETHUSDT"), Some(1));
        assert_eq!(table.find(b"XBT-EUR"), Some(2));
        for other in ["BTCEUR", "btcusdt", "BTCUSDTX", "", "B"] {
            assert_eq!(table.find(other.as_bytes()), None, "{other}");
        }
        assert_eq!(table.symbol(0), Some("BTCUSDT"));
        assert_eq!(table.symbol(3), None);
    }

    #[test]
    fn finds_every_market_of_a_large_session_and_no_other() {
        // Lengths 1 to 40, and names that differ in one byte at any place.
        let names: Vec<String> = (0..2000).map(|n| format!("A{}/{}", n, "Q".repeat(1 + n % 36))).collect();
        let markets: Vec<Market> = names.iter().map(|name| market(name, None)).collect();
        let table = Markets::new(&markets, joined).unwrap();
        for (index, symbol) in table.symbols().iter().enumerate() {
            assert_eq!(table.find(symbol.as_bytes()), Some(index as u32));
            let mut other = symbol.clone().into_bytes();
            for at in 0..other.len() {
                other[at] ^= 0x80;
                assert_eq!(table.find(&other), None);
                other[at] ^= 0x80;
            }
        }
    }

    #[test]
    fn no_markets() {
        let table = Markets::new(&[], joined).unwrap();
        assert!(table.is_empty());
        assert_eq!(table.find(b"BTCUSDT"), None);
    }

    #[test]
    fn refuses_what_is_no_market() {
        for (name, says) in [
            ("BTCUSDT", "has no `/`"),
            ("BTC/USD/T", "more than one `/`"),
            ("/USDT", "nothing on one side"),
            ("BTC /USDT", "space"),
            ("btc/usdt", "write \"BTC/USDT\""),
        ] {
            let error = Markets::new(&[market("ETH/USDT", None), market(name, None)], joined).unwrap_err();
            assert_eq!(error.market, Some(1));
            assert!(error.reason.contains(says) && error.reason.contains(name), "{}", error.reason);
        }
    }

    #[test]
    fn refuses_one_symbol_for_two_markets() {
        let error = Markets::new(&[market("BTC/USDT", None), market("XBT/USDT", Some("BTCUSDT"))], joined).unwrap_err();
        assert_eq!(error.market, Some(1));
        assert!(error.reason.contains("BTC/USDT") && error.reason.contains("XBT/USDT"), "{}", error.reason);
    }

    #[test]
    fn refuses_a_symbol_that_cannot_be() {
        for symbol in ["", "BTC USDT", "BTC\nUSDT"] {
            assert_eq!(Markets::new(&[market("BTC/USDT", Some(symbol))], joined).unwrap_err().market, Some(0));
        }
    }
}
