//! A value that is due, to be read as what it should be.

use std::borrow::Cow;

use super::{Array, Error, Fault, Object, Scanner};
use crate::Decimal;

/// What a value is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// `{…}`
    Object,
    /// `[…]`
    Array,
    /// `"…"`
    String,
    /// A number.
    Number,
    /// `true` or `false`.
    Bool,
    /// `null`
    Null,
}

/// A value that was reached and not read yet. Each method reads it; one that is dropped is skipped, and checked, later, and
/// so is one of another type than the method reads: after such an error (see [`Error::is_syntax`]) the walk can go on.
#[derive(Debug)]
pub struct Value<'s, 'a> {
    scanner: &'s mut Scanner<'a>,
}

impl<'s, 'a> Value<'s, 'a> {
    #[inline]
    pub(super) fn new(scanner: &'s mut Scanner<'a>) -> Self {
        Self { scanner }
    }

    /// What it is, by its first byte.
    ///
    /// # Errors
    ///
    /// No value starts with that byte, or the text ends.
    #[inline]
    pub fn kind(&mut self) -> Result<Kind, Error> {
        let (at, byte) = self.scanner.value()?;
        match byte {
            b'{' => Ok(Kind::Object),
            b'[' => Ok(Kind::Array),
            b'"' => Ok(Kind::String),
            b'-' | b'0'..=b'9' => Ok(Kind::Number),
            b't' | b'f' => Ok(Kind::Bool),
            b'n' => Ok(Kind::Null),
            _ => Err(self.scanner.fault(at, Fault::Value)),
        }
    }

    /// Walks it as an object.
    ///
    /// # Errors
    ///
    /// It is none, or too deep.
    #[inline(always)]
    pub fn object(self) -> Result<Object<'s, 'a>, Error> {
        let (at, byte) = self.scanner.value()?;
        if byte != b'{' {
            return Err(self.not(at, Fault::NotObject));
        }
        self.scanner.enter(at, true)?;
        Ok(Object::new(self.scanner))
    }

    /// Walks it as an array.
    ///
    /// # Errors
    ///
    /// It is none, or too deep.
    #[inline]
    pub fn array(self) -> Result<Array<'s, 'a>, Error> {
        let (at, byte) = self.scanner.value()?;
        if byte != b'[' {
            return Err(self.not(at, Fault::NotArray));
        }
        self.scanner.enter(at, false)?;
        Ok(Array::new(self.scanner))
    }

    /// A string's content, borrowed unless it has escapes.
    ///
    /// # Errors
    ///
    /// It is no string, or a malformed one.
    #[inline(always)]
    pub fn str(self) -> Result<Cow<'a, str>, Error> {
        let (at, byte) = self.scanner.value()?;
        if byte != b'"' {
            return Err(self.not(at, Fault::NotString));
        }
        self.string(at)
    }

    /// A number's text, exactly as it is written.
    ///
    /// # Errors
    ///
    /// It is no number, or a malformed one.
    #[inline]
    pub fn number(self) -> Result<&'a str, Error> {
        let (at, byte) = self.scanner.value()?;
        match byte {
            b'-' | b'0'..=b'9' => self.scanner.number(at),
            _ => Err(self.not(at, Fault::NotNumber)),
        }
    }

    /// The content of a string or the text of a number: for what exchanges write now as the one, now as the other.
    ///
    /// # Errors
    ///
    /// It is neither, or malformed.
    #[inline]
    pub fn text(self) -> Result<Cow<'a, str>, Error> {
        let (at, byte) = self.scanner.value()?;
        match byte {
            b'"' => self.string(at),
            b'-' | b'0'..=b'9' => self.scanner.number(at).map(Cow::Borrowed),
            _ => Err(self.not(at, Fault::NotText)),
        }
    }

    /// A string or number that holds a decimal, exactly; [`Decimal::parse`] says what is one.
    ///
    /// # Errors
    ///
    /// It is neither, or no decimal of at most 38 digits.
    #[inline(always)]
    pub fn decimal(self) -> Result<Decimal, Error> {
        let (at, byte) = self.scanner.value()?;
        let plain = match byte {
            b'"' => self.scanner.decimal(at + 1, Some(b'"')),
            _ => self.scanner.decimal(at, None),
        };
        plain.map_or_else(|| self.any_decimal(at), Ok)
    }

    /// A decimal that is not plain: long, with an exponent, or none at all.
    #[cold]
    fn any_decimal(self, at: usize) -> Result<Decimal, Error> {
        let text = self.text()?;
        Decimal::from_text(text.as_bytes()).ok_or(Error::new(at, Fault::Decimal))
    }

    /// A whole number without a sign.
    ///
    /// # Errors
    ///
    /// It is no number, has a sign, fraction or exponent, or does not fit into 64 bits.
    #[inline(always)]
    pub fn u64(self) -> Result<u64, Error> {
        let (at, byte) = self.scanner.value()?;
        match byte {
            b'-' | b'0'..=b'9' => self.scanner.unsigned(at),
            _ => Err(self.not(at, Fault::NotNumber)),
        }
    }

    /// A whole number.
    ///
    /// # Errors
    ///
    /// It is no number, has a fraction or exponent, or does not fit into 64 bits.
    #[inline(always)]
    pub fn i64(self) -> Result<i64, Error> {
        let (at, byte) = self.scanner.value()?;
        let not_integer = Error::new(at, Fault::NotInteger);
        match byte {
            b'0'..=b'9' => i64::try_from(self.scanner.unsigned(at)?).map_err(|_| not_integer),
            b'-' => self.scanner.number(at)?.parse().map_err(|_| not_integer),
            _ => Err(self.not(at, Fault::NotNumber)),
        }
    }

    /// `true` or `false`.
    ///
    /// # Errors
    ///
    /// It is neither.
    #[inline]
    pub fn bool(self) -> Result<bool, Error> {
        let (at, byte) = self.scanner.value()?;
        match byte {
            b't' => self.word(at, b"true").map(|()| true),
            b'f' => self.word(at, b"false").map(|()| false),
            _ => Err(self.not(at, Fault::NotBool)),
        }
    }

    /// `null`.
    ///
    /// # Errors
    ///
    /// It is something else.
    #[inline]
    pub fn null(self) -> Result<(), Error> {
        let (at, byte) = self.scanner.value()?;
        match byte {
            b'n' => self.word(at, b"null"),
            _ => Err(self.not(at, Fault::NotNull)),
        }
    }

    /// Its exact bytes, checked, without the white space around it: for what can only be read once something behind it is
    /// known. They make a text of their own for another [`Scanner`].
    ///
    /// # Errors
    ///
    /// It is not JSON.
    pub fn raw(self) -> Result<&'a [u8], Error> {
        let (start, _) = self.scanner.value()?;
        self.scanner.skip()?;
        Ok(&self.scanner.bytes[start..self.scanner.at])
    }

    /// Skips it, and checks it.
    ///
    /// # Errors
    ///
    /// It is not JSON.
    #[inline]
    pub fn skip(self) -> Result<(), Error> {
        self.scanner.skip()
    }

    #[inline(always)]
    fn string(self, at: usize) -> Result<Cow<'a, str>, Error> {
        let (content, end) = self.scanner.string(at)?;
        self.scanner.read_to(end);
        Ok(content)
    }

    #[inline]
    fn word(self, at: usize, word: &'static [u8]) -> Result<(), Error> {
        let end = self.scanner.word(at, word).map_err(|error| self.scanner.failed(error))?;
        self.scanner.read_to(end);
        Ok(())
    }

    /// The value is of another type, or none at all.
    #[cold]
    fn not(self, at: usize, fault: Fault) -> Error {
        let value =
            matches!(self.scanner.bytes.get(at), Some(b'{' | b'[' | b'"' | b'-' | b'0'..=b'9' | b't' | b'f' | b'n'));
        self.scanner.fault(at, if value { fault } else { Fault::Value })
    }
}
