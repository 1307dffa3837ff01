//! Escapes within strings.

use super::{Error, Fault};

/// The character of the escape whose backslash is here, and where it ends.
pub(super) fn escape(bytes: &[u8], at: usize) -> Result<(char, usize), Error> {
    let Some(&byte) = bytes.get(at + 1) else { return Err(Error::new(bytes.len(), Fault::End)) };
    let character = match byte {
        b'"' | b'\\' | b'/' => char::from(byte),
        b'b' => '\u{8}',
        b'f' => '\u{c}',
        b'n' => '\n',
        b'r' => '\r',
        b't' => '\t',
        b'u' => return unicode(bytes, at),
        _ => return Err(Error::new(at, Fault::Escape)),
    };
    Ok((character, at + 2))
}

/// The character of one `\uXXXX`, or of two that make a surrogate pair.
fn unicode(bytes: &[u8], at: usize) -> Result<(char, usize), Error> {
    let first = hex(bytes, at + 2)?;
    let behind = at + 6;
    let (code, end) = match first {
        0xD800..0xDC00 if bytes[behind..].starts_with(b"\\u") => match hex(bytes, behind + 2)? {
            second @ 0xDC00..0xE000 => (0x1_0000 + ((first - 0xD800) << 10) + (second - 0xDC00), behind + 6),
            _ => (first, behind),
        },
        // A half without its other half is no character.
        _ => (first, behind),
    };
    let character = char::from_u32(code).ok_or(Error::new(at, Fault::Surrogate))?;
    Ok((character, end))
}

/// The number of four hexadecimal digits.
fn hex(bytes: &[u8], at: usize) -> Result<u32, Error> {
    let Some(digits) = bytes.get(at..at + 4) else { return Err(Error::new(bytes.len(), Fault::End)) };
    digits.iter().try_fold(0, |number, &digit| {
        let digit = char::from(digit).to_digit(16).ok_or(Error::new(at, Fault::Escape))?;
        Ok(number << 4 | digit)
    })
}
