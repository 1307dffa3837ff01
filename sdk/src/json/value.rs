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
    pub fn kind(&mut self) -> Result<Kind, Error> {
        match self.scanner.peek() {
            Some(b'{') => Ok(Kind::Object),
            Some(b'[') => Ok(Kind::Array),
            Some(b'"') => Ok(Kind::String),
            Some(b'-' | b'0'..=b'9') => Ok(Kind::Number),
            Some(b't' | b'f') => Ok(Kind::Bool),
            Some(b'n') => Ok(Kind::Null),
            Some(_) => Err(self.scanner.fault(Fault::Value)),
            None => Err(self.scanner.fault(Fault::End)),
        }
    }

    /// Walks it as an object.
    ///
    /// # Errors
    ///
    /// It is none, or too deep.
    #[inline]
    pub fn object(self) -> Result<Object<'s, 'a>, Error> {
        if self.scanner.due()? != b'{' {
            return Err(self.scanner.fault(Fault::NotObject));
        }
        self.scanner.take().enter(true)?;
        Ok(Object::new(self.scanner))
    }

    /// Walks it as an array.
    ///
    /// # Errors
    ///
    /// It is none, or too deep.
    #[inline]
    pub fn array(self) -> Result<Array<'s, 'a>, Error> {
        if self.scanner.due()? != b'[' {
            return Err(self.scanner.fault(Fault::NotArray));
        }
        self.scanner.take().enter(false)?;
        Ok(Array::new(self.scanner))
    }

    /// A string's content, borrowed unless it has escapes.
    ///
    /// # Errors
    ///
    /// It is no string, or a malformed one.
    #[inline]
    pub fn str(self) -> Result<Cow<'a, str>, Error> {
        if self.scanner.due()? != b'"' {
            return Err(self.scanner.fault(Fault::NotString));
        }
        self.scanner.take().string()
    }

    /// A number's text, exactly as it is written.
    ///
    /// # Errors
    ///
    /// It is no number, or a malformed one.
    #[inline]
    pub fn number(self) -> Result<&'a str, Error> {
        match self.scanner.due()? {
            b'-' | b'0'..=b'9' => self.scanner.take().number(),
            _ => Err(self.scanner.fault(Fault::NotNumber)),
        }
    }

    /// The content of a string or the text of a number: for what exchanges write now as the one, now as the other.
    ///
    /// # Errors
    ///
    /// It is neither, or malformed.
    #[inline]
    pub fn text(self) -> Result<Cow<'a, str>, Error> {
        match self.scanner.due()? {
            b'"' => self.scanner.take().string(),
            b'-' | b'0'..=b'9' => self.scanner.take().number().map(Cow::Borrowed),
            _ => Err(self.scanner.fault(Fault::NotText)),
        }
    }

    /// A string or number that holds a decimal, exactly; [`Decimal::parse`] says what is one.
    ///
    /// # Errors
    ///
    /// It is neither, or no decimal of at most 38 digits.
    #[inline]
    pub fn decimal(self) -> Result<Decimal, Error> {
        match self.scanner.peek() {
            Some(b'"' | b'-' | b'0'..=b'9') => {}
            _ => return Err(self.scanner.fault(Fault::NotText)),
        }
        let at = self.scanner.at;
        let text = self.text()?;
        Decimal::from_text(text.as_bytes()).ok_or(Error::new(at, Fault::Decimal))
    }

    /// A whole number without a sign.
    ///
    /// # Errors
    ///
    /// It is no number, has a sign, fraction or exponent, or does not fit into 64 bits.
    #[inline]
    pub fn u64(self) -> Result<u64, Error> {
        let (number, at) = self.number_at()?;
        number.parse().map_err(|_| Error::new(at, Fault::NotInteger))
    }

    /// A whole number.
    ///
    /// # Errors
    ///
    /// It is no number, has a fraction or exponent, or does not fit into 64 bits.
    #[inline]
    pub fn i64(self) -> Result<i64, Error> {
        let (number, at) = self.number_at()?;
        number.parse().map_err(|_| Error::new(at, Fault::NotInteger))
    }

    /// `true` or `false`.
    ///
    /// # Errors
    ///
    /// It is neither.
    #[inline]
    pub fn bool(self) -> Result<bool, Error> {
        match self.scanner.due()? {
            b't' => self.scanner.take().word(b"true").map(|()| true),
            b'f' => self.scanner.take().word(b"false").map(|()| false),
            _ => Err(self.scanner.fault(Fault::NotBool)),
        }
    }

    /// `null`.
    ///
    /// # Errors
    ///
    /// It is something else.
    #[inline]
    pub fn null(self) -> Result<(), Error> {
        match self.scanner.due()? {
            b'n' => self.scanner.take().word(b"null"),
            _ => Err(self.scanner.fault(Fault::NotNull)),
        }
    }

    /// Its exact bytes, checked, without the white space around it: for what can only be read once something behind it is
    /// known. They make a text of their own for another [`Scanner`].
    ///
    /// # Errors
    ///
    /// It is not JSON.
    pub fn raw(self) -> Result<&'a [u8], Error> {
        self.scanner.peek();
        let start = self.scanner.at;
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

    #[inline]
    fn number_at(self) -> Result<(&'a str, usize), Error> {
        let byte = self.scanner.due()?;
        let at = self.scanner.at;
        match byte {
            b'-' | b'0'..=b'9' => Ok((self.scanner.take().number()?, at)),
            _ => Err(self.scanner.fault(Fault::NotNumber)),
        }
    }
}
