//! What the scanner reports.

use std::fmt;

use crate::Reason;

/// What is wrong with a JSON text, and where.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Error {
    at: usize,
    fault: Fault,
}

/// The kinds of fault: those of syntax first, from `ReadTwice` on those of use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd)]
pub(super) enum Fault {
    End,
    Trailing,
    Depth,
    Key,
    Colon,
    ObjectNext,
    ArrayNext,
    Value,
    Number,
    Control,
    Escape,
    Surrogate,
    Utf8,
    ReadTwice,
    NotObject,
    NotArray,
    NotString,
    NotNumber,
    NotText,
    NotBool,
    NotNull,
    NotInteger,
    Short,
    Decimal,
}

impl Error {
    #[cold]
    pub(super) fn new(at: usize, fault: Fault) -> Self {
        Self { at, fault }
    }

    /// Where: an index into the bytes.
    #[must_use]
    pub fn at(&self) -> usize {
        self.at
    }

    /// Whether the text is not JSON, as opposed to JSON with a value of another type than was asked for.
    #[must_use]
    pub fn is_syntax(&self) -> bool {
        self.fault < Fault::ReadTwice
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = match self.fault {
            Fault::End => "not JSON: it ends too early",
            Fault::Trailing => "not JSON: something follows the value",
            Fault::Depth => "more than 127 containers in each other",
            Fault::Key => "not JSON: a key is missing",
            Fault::Colon => "not JSON: a `:` is missing",
            Fault::ObjectNext => "not JSON: neither `,` nor `}` follows",
            Fault::ArrayNext => "not JSON: neither `,` nor `]` follows",
            Fault::Value => "not JSON: no value starts here",
            Fault::Number => "not JSON: a number is malformed",
            Fault::Control => "not JSON: a string has a control character in it",
            Fault::Escape => "not JSON: an escape is unknown or malformed",
            Fault::Surrogate => "not JSON: half of a surrogate pair",
            Fault::Utf8 => "not JSON: a string is not UTF-8",
            Fault::ReadTwice => "the value was read before: a fault of the plugin",
            Fault::NotObject => "an object was expected",
            Fault::NotArray => "an array was expected",
            Fault::NotString => "a string was expected",
            Fault::NotNumber => "a number was expected",
            Fault::NotText => "a string or a number was expected",
            Fault::NotBool => "`true` or `false` was expected",
            Fault::NotNull => "`null` was expected",
            Fault::NotInteger => "a whole number within 64 bits was expected",
            Fault::Short => "the array has too few elements",
            Fault::Decimal => "a decimal number of at most 38 digits was expected",
        };
        write!(f, "{what} (byte {})", self.at)
    }
}

impl std::error::Error for Error {}

impl From<Error> for Reason {
    #[cold]
    fn from(error: Error) -> Self {
        Reason::Owned(error.to_string())
    }
}
