//! Numbers, kept as the text they are, or read where they are plain.

use super::digits::{MAX_DIGITS, POWERS, read};
use super::{Error, Fault, Scanner};
use crate::Decimal;

impl<'a> Scanner<'a> {
    /// The text of the number that starts here.
    #[inline]
    pub(super) fn number(&mut self, start: usize) -> Result<&'a str, Error> {
        let end = number_end(self.bytes, start).map_err(|error| self.failed(error))?;
        self.read_to(end);
        // SAFETY: a number is made of digits, signs, points and letters, all of them ASCII.
        Ok(unsafe { std::str::from_utf8_unchecked(&self.bytes[start..end]) })
    }

    /// The whole number without a sign that starts here.
    #[inline(always)]
    pub(super) fn unsigned(&mut self, start: usize) -> Result<u64, Error> {
        let (end, number) = read(self.bytes, start);
        let plain = end > start && end - start <= MAX_DIGITS && !leads_with_zero(self.bytes, start, end);
        if plain && !matches!(self.bytes.get(end), Some(b'.' | b'e' | b'E')) {
            self.read_to(end);
            return Ok(number);
        }
        let number = self.number(start)?.parse();
        number.map_err(|_| Error::new(start, Fault::NotInteger))
    }

    /// The decimal that starts here and is ended by `quote`, if one is given.
    #[inline]
    pub(super) fn decimal(&mut self, start: usize, quote: Option<u8>) -> Option<Decimal> {
        let (decimal, end) = plain_decimal(self.bytes, start)?;
        let ended = match quote {
            Some(quote) => self.bytes.get(end) == Some(&quote),
            None => !matches!(self.bytes.get(end), Some(b'e' | b'E')),
        };
        if !ended {
            return None;
        }
        self.read_to(end + usize::from(quote.is_some()));
        Some(decimal)
    }
}

/// The decimal that starts here, and where it ends: none if 64 bits do not hold its digits. An exponent is not looked for.
#[inline(always)]
pub(super) fn plain_decimal(bytes: &[u8], start: usize) -> Option<(Decimal, usize)> {
    let negative = bytes.get(start) == Some(&b'-');
    let first = start + usize::from(negative);
    let (point, whole) = read(bytes, first);
    let (end, fraction) = match bytes.get(point) {
        Some(b'.') => read(bytes, point + 1),
        _ => (point, 0),
    };
    // A point without digits behind it has a length of 1 here, and digits of 0.
    let scale = (end - point).saturating_sub(1);
    let digits = point - first + scale;
    let plain =
        point > first && (scale > 0 || end == point) && digits <= MAX_DIGITS && !leads_with_zero(bytes, first, point);
    if !plain {
        return None;
    }
    let units = whole * POWERS[scale] + fraction;
    let scale = scale as u8;
    if negative && units > 0 {
        return Some((Decimal { high: -1, low: units.wrapping_neg(), scale }, end));
    }
    Some((Decimal { high: 0, low: units, scale }, end))
}

/// Where the number that starts here ends: `-? (0 | [1-9][0-9]*) (. [0-9]+)? ([eE] [+-]? [0-9]+)?`.
#[inline]
pub(super) fn number_end(bytes: &[u8], start: usize) -> Result<usize, Error> {
    let mut at = start + usize::from(bytes.get(start) == Some(&b'-'));
    let whole = at;
    at = digits_end(bytes, whole)?;
    if leads_with_zero(bytes, whole, at) {
        return Err(Error::new(whole, Fault::Number));
    }
    if bytes.get(at) == Some(&b'.') {
        at = digits_end(bytes, at + 1)?;
    }
    if let Some(b'e' | b'E') = bytes.get(at) {
        let signed = matches!(bytes.get(at + 1), Some(b'+' | b'-'));
        at = digits_end(bytes, at + 1 + usize::from(signed))?;
    }
    Ok(at)
}

/// Where the digits that start here end; there must be one.
#[inline]
fn digits_end(bytes: &[u8], start: usize) -> Result<usize, Error> {
    let (end, _) = read(bytes, start);
    if end == start { Err(Error::new(start, Fault::Number)) } else { Ok(end) }
}

#[inline(always)]
pub(super) fn leads_with_zero(bytes: &[u8], start: usize, end: usize) -> bool {
    end - start > 1 && bytes[start] == b'0'
}
