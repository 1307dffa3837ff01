//! Strings: eight bytes at a time to where something must be looked at.

use std::borrow::Cow;

use super::{Error, Fault, Scanner};

const ONES: u64 = 0x0101_0101_0101_0101;
const HIGHS: u64 = 0x8080_8080_8080_8080;

/// What the plain bytes up to a stop were.
struct Run {
    /// The byte that ended the run: a quote, a backslash or a control character.
    stop: u8,
    /// Whether all bytes of the run were ASCII.
    ascii: bool,
}

impl<'a> Scanner<'a> {
    /// The content of the string at whose opening quote the scanner is; goes behind its closing quote.
    #[inline]
    pub(super) fn string(&mut self) -> Result<Cow<'a, str>, Error> {
        self.at += 1;
        let start = self.at;
        let run = self.run()?;
        if run.stop == b'"' {
            let content = self.plain(start, run.ascii)?;
            self.at += 1;
            return Ok(Cow::Borrowed(content));
        }
        self.unescape(start, run).map(Cow::Owned)
    }

    /// As [`string`](Self::string), for a string whose content does not matter.
    #[inline]
    pub(super) fn skip_string(&mut self) -> Result<(), Error> {
        self.at += 1;
        loop {
            let start = self.at;
            let run = self.run()?;
            if !run.ascii {
                self.plain(start, false)?;
            }
            self.at += 1;
            match run.stop {
                b'"' => return Ok(()),
                b'\\' => self.escape().map(drop)?,
                _ => return Err(self.control()),
            }
        }
    }

    /// Goes to the next quote, backslash or control character.
    #[inline]
    fn run(&mut self) -> Result<Run, Error> {
        let mut highs = 0;
        while let Some(chunk) = self.bytes.get(self.at..).and_then(<[u8]>::first_chunk) {
            let word = u64::from_le_bytes(*chunk);
            let stops = equal(word, b'"') | equal(word, b'\\') | below_space(word);
            if stops != 0 {
                // Of each test the lowest bit is exact; carries can only set bits above a true one.
                let before = (stops & stops.wrapping_neg()) - 1;
                self.at += (stops.trailing_zeros() / 8) as usize;
                let ascii = (highs | word & before) & HIGHS == 0;
                return Ok(Run { stop: self.bytes[self.at], ascii });
            }
            highs |= word;
            self.at += 8;
        }
        self.run_to_end(highs)
    }

    /// The last bytes of the text, one by one.
    fn run_to_end(&mut self, highs: u64) -> Result<Run, Error> {
        let mut ascii = highs & HIGHS == 0;
        while let Some(&byte) = self.bytes.get(self.at) {
            if matches!(byte, b'"' | b'\\' | ..b' ') {
                return Ok(Run { stop: byte, ascii });
            }
            ascii &= byte.is_ascii();
            self.at += 1;
        }
        Err(self.fault(Fault::End))
    }

    /// The bytes from `start` to here as text.
    #[inline]
    fn plain(&mut self, start: usize, ascii: bool) -> Result<&'a str, Error> {
        let bytes = &self.bytes[start..self.at];
        if ascii {
            // SAFETY: no byte of these has its highest bit set, and such bytes are UTF-8.
            return Ok(unsafe { std::str::from_utf8_unchecked(bytes) });
        }
        std::str::from_utf8(bytes).map_err(|error| self.fault_at(start + error.valid_up_to(), Fault::Utf8))
    }

    /// The rest of a string that has an escape (or a control character) at the end of its first run.
    #[cold]
    fn unescape(&mut self, start: usize, first: Run) -> Result<String, Error> {
        let mut content = String::new();
        let (mut start, mut run) = (start, first);
        loop {
            content.push_str(self.plain(start, run.ascii)?);
            self.at += 1;
            match run.stop {
                b'"' => return Ok(content),
                b'\\' => content.push(self.escape()?),
                _ => return Err(self.control()),
            }
            start = self.at;
            run = self.run()?;
        }
    }

    /// The character of the escape behind whose backslash the scanner is.
    fn escape(&mut self) -> Result<char, Error> {
        let Some(&byte) = self.bytes.get(self.at) else { return Err(self.fault(Fault::End)) };
        self.at += 1;
        match byte {
            b'"' | b'\\' | b'/' => Ok(char::from(byte)),
            b'b' => Ok('\u{8}'),
            b'f' => Ok('\u{c}'),
            b'n' => Ok('\n'),
            b'r' => Ok('\r'),
            b't' => Ok('\t'),
            b'u' => self.unicode(),
            _ => Err(self.fault_at(self.at - 1, Fault::Escape)),
        }
    }

    /// The character of one `\uXXXX`, or of two that make a surrogate pair.
    fn unicode(&mut self) -> Result<char, Error> {
        let start = self.at;
        let first = self.hex()?;
        let code = match first {
            0xD800..0xDC00 if self.bytes[self.at..].starts_with(b"\\u") => {
                self.at += 2;
                let second = self.hex()?;
                let pair = (0xDC00..0xE000).contains(&second);
                if pair { 0x1_0000 + ((first - 0xD800) << 10) + (second - 0xDC00) } else { first }
            }
            // A half without its other half is no character.
            first => first,
        };
        char::from_u32(code).ok_or_else(|| self.fault_at(start, Fault::Surrogate))
    }

    /// Four hexadecimal digits.
    fn hex(&mut self) -> Result<u32, Error> {
        let Some(digits) = self.bytes.get(self.at..self.at + 4) else { return Err(self.fault(Fault::End)) };
        let mut number = 0;
        for &digit in digits {
            let Some(digit) = char::from(digit).to_digit(16) else { return Err(self.fault(Fault::Escape)) };
            number = number << 4 | digit;
        }
        self.at += 4;
        Ok(number)
    }

    #[cold]
    fn control(&mut self) -> Error {
        self.fault_at(self.at - 1, Fault::Control)
    }
}

/// The highest bit of each byte that equals `byte`; above the lowest such bit there may be false ones.
#[inline]
fn equal(word: u64, byte: u8) -> u64 {
    let zero = word ^ (ONES * u64::from(byte));
    zero.wrapping_sub(ONES) & !zero & HIGHS
}

/// The highest bit of each byte below 0x20, as [`equal`] does.
#[inline]
fn below_space(word: u64) -> u64 {
    word.wrapping_sub(ONES * 0x20) & !word & HIGHS
}
