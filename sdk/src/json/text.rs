//! Strings: eight bytes at a time to where something must be looked at.

use std::borrow::Cow;

use super::escape::escape;
use super::{Error, Fault, Scanner};

const ONES: u64 = 0x0101_0101_0101_0101;
const HIGHS: u64 = 0x8080_8080_8080_8080;

/// Plain bytes, up to what ends them.
struct Run {
    /// Where they end.
    end: usize,
    /// The byte there: a quote, a backslash or a control character.
    stop: u8,
    /// Whether all of them are ASCII.
    ascii: bool,
}

impl<'a> Scanner<'a> {
    /// The content of the string whose opening quote is here, and where it ends.
    #[inline(always)]
    pub(super) fn string(&mut self, at: usize) -> Result<(Cow<'a, str>, usize), Error> {
        let start = at + 1;
        let content = match run(self.bytes, start) {
            Ok(run) => match plain(self.bytes, start, &run) {
                Some(content) => return Ok((Cow::Borrowed(content), run.end + 1)),
                None => content(self.bytes, start, run),
            },
            Err(error) => Err(error),
        };
        content.map_err(|error| self.failed(error))
    }
}

/// The content of the string that starts here, behind its opening quote, and where it ends; none if it is not plain ASCII
/// without escapes.
#[inline(always)]
pub(super) fn plain_string(bytes: &[u8], start: usize) -> Option<(&str, usize)> {
    let run = run(bytes, start).ok()?;
    plain(bytes, start, &run).map(|content| (content, run.end + 1))
}

/// A run that is all of a string's content.
#[inline(always)]
fn plain<'a>(bytes: &'a [u8], start: usize, run: &Run) -> Option<&'a str> {
    // SAFETY: no byte of these has its highest bit set, and such bytes are UTF-8.
    (run.stop == b'"' && run.ascii).then(|| unsafe { std::str::from_utf8_unchecked(&bytes[start..run.end]) })
}

/// Where the string whose opening quote is here ends.
#[inline]
pub(super) fn skip_string(bytes: &[u8], at: usize) -> Result<usize, Error> {
    let run = run(bytes, at + 1)?;
    if run.stop == b'"' && run.ascii {
        return Ok(run.end + 1);
    }
    content(bytes, at + 1, run).map(|(_, end)| end)
}

/// The content of a string that is not plain ASCII: its text, first run, and where it ends.
#[cold]
fn content(bytes: &[u8], start: usize, first: Run) -> Result<(Cow<'_, str>, usize), Error> {
    let (mut start, mut next) = (start, first);
    let mut content = Cow::Borrowed("");
    loop {
        let plain = std::str::from_utf8(&bytes[start..next.end])
            .map_err(|error| Error::new(start + error.valid_up_to(), Fault::Utf8))?;
        content += plain;
        match next.stop {
            b'"' => return Ok((content, next.end + 1)),
            b'\\' => {
                let (character, end) = escape(bytes, next.end)?;
                content.to_mut().push(character);
                start = end;
            }
            _ => return Err(Error::new(next.end, Fault::Control)),
        }
        next = run(bytes, start)?;
    }
}

/// The plain bytes from here on.
#[inline(always)]
fn run(bytes: &[u8], start: usize) -> Result<Run, Error> {
    let mut at = start;
    let mut highs = 0;
    while let Some(chunk) = bytes.get(at..).and_then(<[u8]>::first_chunk) {
        let word = u64::from_le_bytes(*chunk);
        let stops = (quote_or_control(word) | backslash(word)) & HIGHS;
        if stops != 0 {
            // Of each test the lowest bit is exact; carries can only set bits above a true one.
            let before = (stops & stops.wrapping_neg()) - 1;
            let bits = stops.trailing_zeros();
            let ascii = (highs | word & before) & HIGHS == 0;
            return Ok(Run { end: at + (bits / 8) as usize, stop: (word >> (bits & !7)) as u8, ascii });
        }
        highs |= word;
        at += 8;
    }
    run_to_end(bytes, at, highs & HIGHS == 0)
}

/// The last bytes of the text, one by one.
fn run_to_end(bytes: &[u8], start: usize, mut ascii: bool) -> Result<Run, Error> {
    for (index, &byte) in bytes[start..].iter().enumerate() {
        if matches!(byte, b'"' | b'\\' | ..b' ') {
            return Ok(Run { end: start + index, stop: byte, ascii });
        }
        ascii &= byte.is_ascii();
    }
    Err(Error::new(bytes.len(), Fault::End))
}

/// The highest bit of each byte that is a backslash; above the lowest such bit there may be false ones, and other bits.
#[inline(always)]
fn backslash(word: u64) -> u64 {
    let zero = word ^ (ONES * u64::from(b'\\'));
    zero.wrapping_sub(ONES) & !zero
}

/// The highest bit of each byte that is a quote or below 0x20, as [`backslash`] does. Exchanging 0x20 and 0x22 makes one
/// range of them.
#[inline(always)]
fn quote_or_control(word: u64) -> u64 {
    let moved = word ^ (ONES * 0x02);
    moved.wrapping_sub(ONES * 0x21) & !moved
}
