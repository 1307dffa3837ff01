//! Exact decimals: from text to a 128-bit integer with a scale, and back. No floating point anywhere.

use std::fmt;

use crate::{Decimal, Reason};

/// A decimal holds so many digits, and so many behind the point.
const MAX_DIGITS: u32 = 38;

impl Decimal {
    /// The decimal that a text writes, plain (`2683.80000000`) or with an exponent (`1.5e-7`), by the grammar of a JSON
    /// number. Zeros at the end count: `2683.80000000` has the scale 8. `-0` is `0`.
    ///
    /// # Errors
    ///
    /// A sentence with the text: it is no number, or does not fit into 38 digits, of which up to 38 behind the point.
    pub fn parse(text: &str) -> Result<Self, Reason> {
        Self::from_text(text.as_bytes()).ok_or_else(|| {
            let text = crate::excerpt(text.as_bytes());
            format!("{text} is not a decimal number of at most 38 digits").into()
        })
    }

    /// `units / 10^scale`; none if the scale is above 38.
    #[must_use]
    pub fn new(units: i128, scale: u8) -> Option<Self> {
        let decimal = Self { high: (units >> 64) as i64, low: units as u64, scale };
        (u32::from(scale) <= MAX_DIGITS).then_some(decimal)
    }

    /// The integer that `10^scale` divides.
    #[must_use]
    pub fn units(&self) -> i128 {
        i128::from(self.high) << 64 | i128::from(self.low)
    }

    #[inline]
    pub(crate) fn from_text(text: &[u8]) -> Option<Self> {
        let (negative, digits) = match text {
            [b'-', digits @ ..] => (true, digits),
            digits => (false, digits),
        };
        let (units, scale) = match short(digits) {
            Some((units, scale)) => (u128::from(units), scale),
            None => long(digits)?,
        };
        let units = units as i128;
        let units = if negative { -units } else { units };
        Some(Self { high: (units >> 64) as i64, low: units as u64, scale })
    }
}

/// Digits with a point perhaps, together at most 19 bytes, so that 64 bits hold them: nearly every price there is. None
/// for anything else, right or wrong.
#[inline]
fn short(text: &[u8]) -> Option<(u64, u8)> {
    let (&first, &last) = (text.first()?, text.last()?);
    let leading_zero = first == b'0' && text.get(1).is_some_and(u8::is_ascii_digit);
    if text.len() > 19 || leading_zero || !first.is_ascii_digit() || !last.is_ascii_digit() {
        return None;
    }
    let mut units = 0;
    let mut point = text.len();
    for (at, &byte) in text.iter().enumerate() {
        let digit = byte.wrapping_sub(b'0');
        if digit < 10 {
            units = units * 10 + u64::from(digit);
        } else if byte == b'.' && point == text.len() {
            point = at;
        } else {
            return None;
        }
    }
    let scale = text.len() - point;
    Some((units, scale.saturating_sub(1) as u8))
}

/// Any other number.
#[cold]
fn long(text: &[u8]) -> Option<(u128, u8)> {
    let (whole, text) = split_digits(text);
    if whole.is_empty() || (whole.len() > 1 && whole[0] == b'0') {
        return None;
    }
    let (fraction, text) = match text {
        [b'.', b'0'..=b'9', ..] => split_digits(&text[1..]),
        _ => (&[][..], text),
    };
    let exponent = match text {
        [] => 0,
        [b'e' | b'E', rest @ ..] => exponent(rest)?,
        _ => return None,
    };
    let mut units: u128 = 0;
    let mut significant = 0;
    for digit in whole.iter().chain(fraction) {
        if significant > 0 || *digit != b'0' {
            significant += 1;
        }
        if significant > MAX_DIGITS {
            return None;
        }
        units = units * 10 + u128::from(digit - b'0');
    }
    let scale = i64::try_from(fraction.len()).ok()? - exponent;
    if scale >= 0 {
        let scale = u8::try_from(scale).ok().filter(|scale| u32::from(*scale) <= MAX_DIGITS)?;
        return Some((units, scale));
    }
    if units == 0 {
        return Some((0, 0));
    }
    let zeros = u32::try_from(-scale).ok().filter(|zeros| significant.saturating_add(*zeros) <= MAX_DIGITS)?;
    Some((units * 10u128.pow(zeros), 0))
}

fn split_digits(text: &[u8]) -> (&[u8], &[u8]) {
    let end = text.iter().position(|byte| !byte.is_ascii_digit()).unwrap_or(text.len());
    text.split_at(end)
}

/// The number behind an `e`; what is too large for any decimal is cut to a number that still is.
fn exponent(text: &[u8]) -> Option<i64> {
    let (negative, digits) = match text {
        [b'-', digits @ ..] => (true, digits),
        [b'+', digits @ ..] => (false, digits),
        digits => (false, digits),
    };
    let (digits, rest) = split_digits(digits);
    if digits.is_empty() || !rest.is_empty() {
        return None;
    }
    let number = digits.iter().fold(0i64, |number, digit| (number * 10 + i64::from(digit - b'0')).min(1 << 40));
    Some(if negative { -number } else { number })
}

/// Plain text, never with an exponent, with all digits of the scale.
impl fmt::Display for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let units = self.units();
        let scale = usize::from(self.scale);
        let digits = format!("{:0width$}", units.unsigned_abs(), width = scale + 1);
        let (whole, fraction) = digits.split_at(digits.len() - scale);
        let point = if scale == 0 { "" } else { "." };
        f.pad_integral(units >= 0, "", &format!("{whole}{point}{fraction}"))
    }
}
