//! Times of exchanges, as microseconds since 1970-01-01T00:00:00Z.
//!
//! What is finer than a microsecond is cut off, towards the past: a time before 1970 too is never moved forward.

use crate::{Decimal, Reason, excerpt};

const MICROS_PER_SECOND: i64 = 1_000_000;

/// Microseconds from whole seconds.
///
/// # Errors
///
/// A sentence, if the time is beyond what 64 bits of microseconds hold.
pub fn from_seconds(seconds: i64) -> Result<i64, Reason> {
    seconds.checked_mul(MICROS_PER_SECOND).ok_or_else(|| beyond(&seconds.to_string()))
}

/// Microseconds from milliseconds.
///
/// # Errors
///
/// As of [`from_seconds`].
pub fn from_millis(millis: i64) -> Result<i64, Reason> {
    millis.checked_mul(1_000).ok_or_else(|| beyond(&millis.to_string()))
}

/// Microseconds from nanoseconds, cut towards the past.
#[must_use]
pub fn from_nanos(nanos: i64) -> i64 {
    nanos.div_euclid(1_000)
}

/// Microseconds from the text of decimal seconds, such as `1762795433.9717445`, cut towards the past.
///
/// # Errors
///
/// A sentence with the text: it is no decimal number, or a time beyond what 64 bits of microseconds hold.
pub fn from_decimal_seconds(text: &str) -> Result<i64, Reason> {
    let seconds = Decimal::parse(text)?;
    let (units, scale) = (seconds.units(), u32::from(seconds.scale));
    let micros = match scale.checked_sub(6) {
        Some(finer) => Some(units.div_euclid(10i128.pow(finer))),
        None => units.checked_mul(10i128.pow(6 - scale)),
    };
    micros.and_then(|micros| i64::try_from(micros).ok()).ok_or_else(|| beyond(text))
}

/// Microseconds from RFC 3339 text, such as `2023-10-06T17:35:55.440295Z`: with up to nine digits of a second, which are
/// cut to six, and `Z` or an offset. `t`, `z` and a space for the `T` are fine. A second of 60 is refused: microseconds
/// since 1970 have no place for it.
///
/// # Errors
///
/// A sentence with the text: it is not such a time, or there is no such day.
pub fn from_rfc3339(text: &str) -> Result<i64, Reason> {
    parse_rfc3339(text.as_bytes()).ok_or_else(|| {
        let text = excerpt(text.as_bytes());
        format!("{text} is not a time as RFC 3339 writes it, for example 2023-10-06T17:35:55.440295Z").into()
    })
}

fn parse_rfc3339(text: &[u8]) -> Option<i64> {
    let (head, rest) = text.split_first_chunk::<19>()?;
    let [y1, y2, y3, y4, b'-', m1, m2, b'-', d1, d2, b'T' | b't' | b' ', h1, h2, b':', n1, n2, b':', s1, s2] = *head
    else {
        return None;
    };
    let year = two(y1, y2)? * 100 + two(y3, y4)?;
    let (month, day) = (two(m1, m2)?, two(d1, d2)?);
    let (hour, minute, second) = (two(h1, h2)?, two(n1, n2)?, two(s1, s2)?);
    let real = (1..=12).contains(&month)
        && (1..=days_in(year, month)).contains(&day)
        && hour < 24
        && minute < 60
        && second < 60;
    if !real {
        return None;
    }
    let (micros, rest) = fraction(rest)?;
    let offset = offset(rest)?;
    let seconds = days_since_1970(year, month, day) * 86_400 + i64::from(hour * 3_600 + minute * 60 + second) - offset;
    // Four digits of a year stay far within 64 bits.
    Some(seconds * MICROS_PER_SECOND + micros)
}

/// Two digits as a number.
#[inline]
fn two(tens: u8, ones: u8) -> Option<u32> {
    let (tens, ones) = (tens.wrapping_sub(b'0'), ones.wrapping_sub(b'0'));
    (tens < 10 && ones < 10).then(|| u32::from(tens) * 10 + u32::from(ones))
}

/// The microseconds of `.` and one to nine digits, if there is a point, and what follows.
#[inline]
fn fraction(text: &[u8]) -> Option<(i64, &[u8])> {
    let [b'.', digits @ ..] = text else { return Some((0, text)) };
    let mut micros = 0;
    let mut count = 0;
    while let Some(digit @ b'0'..=b'9') = digits.get(count) {
        if count < 6 {
            micros = micros * 10 + i64::from(digit - b'0');
        }
        count += 1;
    }
    if !(1..=9).contains(&count) {
        return None;
    }
    for _ in count..6 {
        micros *= 10;
    }
    Some((micros, &digits[count..]))
}

/// The seconds of `Z` or `+hh:mm`, and nothing behind it.
#[inline]
fn offset(text: &[u8]) -> Option<i64> {
    match *text {
        [b'Z' | b'z'] => Some(0),
        [sign @ (b'+' | b'-'), h1, h2, b':', m1, m2] => {
            let (hours, minutes) = (two(h1, h2)?, two(m1, m2)?);
            let seconds = i64::from(hours * 3_600 + minutes * 60);
            (hours < 24 && minutes < 60).then_some(if sign == b'-' { -seconds } else { seconds })
        }
        _ => None,
    }
}

fn days_in(year: u32, month: u32) -> u32 {
    match month {
        4 | 6 | 9 | 11 => 30,
        2 if year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400)) => 29,
        2 => 28,
        _ => 31,
    }
}

/// Days of the Gregorian calendar, with years that start in March, so that a leap day is a year's last day.
fn days_since_1970(year: u32, month: u32, day: u32) -> i64 {
    let (year, month) = if month > 2 { (year, month - 3) } else { (year.wrapping_sub(1), month + 9) };
    // The year before year 0 is kept positive by 400 years, which are 146,097 days.
    let year = year.wrapping_add(400);
    let days = year * 365 + year / 4 - year / 100 + year / 400 + (153 * month + 2) / 5 + day - 1;
    i64::from(days) - 719_468 - 146_097
}

#[cold]
fn beyond(text: &str) -> Reason {
    format!("the time {} is beyond what 64 bits of microseconds since 1970 hold", excerpt(text.as_bytes())).into()
}
