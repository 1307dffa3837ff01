//! A text in the one form in which an exchange writes nearly all of its messages: keys in a fixed order, no white space.

use super::digits::{MAX_DIGITS, read};
use super::number::{leads_with_zero, plain_decimal};
use super::text::plain_string;
use crate::Decimal;

/// Reads a text of a known form, several times as fast as a [`Scanner`](super::Scanner) reads any JSON: what is written between
/// values is compared in words, and nothing is asked twice.
///
/// Each method takes what it names and moves behind it, or gives none and stays where it is. None never means that a text is
/// bad, only that it is not of this form: give it to a `Scanner` then, which says what it is. A form that is made of whole JSON
/// tokens and taken up to [`Form::end`] is JSON by what it consists of.
///
/// ```
/// use tapedeck_sdk::json::Form;
///
/// fn price(frame: &[u8]) -> Option<&str> {
///     let mut form = Form::new(frame);
///     form.take(br#"{"symbol":""#)?;
///     let symbol = form.rest_of_string()?;
///     form.take(br#","id":"#)?;
///     form.u64()?;
///     form.take(b"}")?;
///     form.end()?;
///     Some(symbol)
/// }
///
/// assert_eq!(price(br#"{"symbol":"BTC/USD","id":5}"#), Some("BTC/USD"));
/// assert_eq!(price(br#"{"id":5,"symbol":"BTC/USD"}"#), None);
/// ```
#[derive(Debug, Clone)]
pub struct Form<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Form<'a> {
    /// A form at the start of a text.
    #[must_use]
    #[inline(always)]
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    /// Takes these bytes.
    #[inline(always)]
    pub fn take<const N: usize>(&mut self, text: &[u8; N]) -> Option<()> {
        let next = self.bytes.get(self.at..)?.first_chunk::<N>()?;
        if !is_same(next, text) {
            return None;
        }
        self.at += N;
        Some(())
    }

    /// Takes a string's content and its closing quote, behind the opening one. None if it is not plain ASCII without escapes.
    #[inline(always)]
    pub fn rest_of_string(&mut self) -> Option<&'a str> {
        let (content, end) = plain_string(self.bytes, self.at)?;
        self.at = end;
        Some(content)
    }

    /// Takes a whole number without a sign, of at most 19 digits. What follows must be of the form as well, so that a
    /// fraction or an exponent is none.
    #[inline(always)]
    pub fn u64(&mut self) -> Option<u64> {
        let (end, number) = read(self.bytes, self.at);
        let digits = end - self.at;
        if digits == 0 || digits > MAX_DIGITS || leads_with_zero(self.bytes, self.at, end) {
            return None;
        }
        self.at = end;
        Some(number)
    }

    /// Takes a decimal of at most 19 digits without an exponent; [`Decimal::parse`] says what is one.
    #[inline(always)]
    pub fn decimal(&mut self) -> Option<Decimal> {
        let (decimal, end) = plain_decimal(self.bytes, self.at)?;
        self.at = end;
        Some(decimal)
    }

    /// Takes `true` or `false`.
    #[inline(always)]
    pub fn bool(&mut self) -> Option<bool> {
        if self.take(b"true").is_some() {
            return Some(true);
        }
        self.take(b"false").map(|()| false)
    }

    /// The end of the text.
    #[inline(always)]
    pub fn end(&self) -> Option<()> {
        (self.at == self.bytes.len()).then_some(())
    }
}

/// Whether bytes are the same, in words: for lengths that are known while compiling nothing is left of the loop.
#[inline(always)]
fn is_same<const N: usize>(one: &[u8; N], other: &[u8; N]) -> bool {
    let (ones, one_rest) = one.as_chunks::<8>();
    let (others, other_rest) = other.as_chunks::<8>();
    let mut differ = 0;
    for (one, other) in ones.iter().zip(others) {
        differ |= u64::from_le_bytes(*one) ^ u64::from_le_bytes(*other);
    }
    match (one.last_chunk::<8>(), other.last_chunk::<8>()) {
        (Some(one), Some(other)) => differ |= u64::from_le_bytes(*one) ^ u64::from_le_bytes(*other),
        _ => differ |= word(one_rest) ^ word(other_rest),
    }
    differ == 0
}

/// Up to seven bytes as one number.
#[inline(always)]
fn word(bytes: &[u8]) -> u64 {
    let (first, last) = match (bytes.first_chunk::<4>(), bytes.last_chunk::<4>()) {
        (Some(first), Some(last)) => (u32::from_le_bytes(*first), u32::from_le_bytes(*last)),
        _ => {
            let short = |at: usize| bytes.get(at).copied().map_or(0, u32::from);
            (short(0) | short(1) << 8 | short(2) << 16, 0)
        }
    };
    u64::from(first) << 32 | u64::from(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_what_is_there_and_nothing_else() {
        fn check<const N: usize>(text: &[u8; N]) {
            let mut exact = Form::new(text);
            assert_eq!((exact.take(text), exact.end()), (Some(()), Some(())));
            for at in 0..N {
                let mut other = *text;
                other[at] ^= 1;
                let mut form = Form::new(&other);
                assert_eq!((form.take(text), form.at), (None, 0), "{N} bytes, {at} differs");
                assert_eq!(Form::new(&text[..at]).take(text), None, "{at} bytes of {N}");
            }
        }
        check(b"");
        check(b"a");
        check(b"ab");
        check(b"abc");
        check(b"abcd");
        check(b"abcdefg");
        check(b"abcdefgh");
        check(b"abcdefghi");
        check(b"abcdefghijklmno");
        check(b"abcdefghijklmnop");
        check(b"abcdefghijklmnopqrs");
    }

    #[test]
    fn values_are_taken_whole_or_not_at_all() {
        let none = |text: &[u8]| {
            let mut form = Form::new(text);
            assert_eq!((form.u64(), form.decimal(), form.bool(), form.at), (None, None, None, 0), "{text:?}");
        };
        for text in ["", "-", "x", "00", "01", "tru", "null", ".5", "12345678901234567890", "01.5"] {
            none(text.as_bytes());
        }
        let mut form = Form::new(b"15,0.50,-3,true,false,plain\"end");
        assert_eq!((form.u64(), form.take(b",")), (Some(15), Some(())));
        assert_eq!((form.decimal(), form.take(b",")), (Decimal::new(50, 2), Some(())));
        assert_eq!((form.u64(), form.decimal(), form.take(b",")), (None, Decimal::new(-3, 0), Some(())));
        assert_eq!(
            (form.bool(), form.take(b","), form.bool(), form.take(b",")),
            (Some(true), Some(()), Some(false), Some(()))
        );
        assert_eq!((form.rest_of_string(), form.end()), (Some("plain"), None));
        for text in ["no end", "esc\\u0041\"", "ä\"", "\n\""] {
            assert_eq!(Form::new(text.as_bytes()).rest_of_string(), None, "{text}");
        }
    }
}
