//! A borrowing JSON scanner: one pass over a frame, values taken as they come, no allocation unless a string has escapes.
//!
//! It takes what `serde_json` takes as a `Value` and nothing else: RFC 8259, strings valid in UTF-8 and free of lone
//! surrogates, at most 127 containers in each other, nothing behind the value. What it does not like is an error, never
//! another value. Two differences: a number is its exact text, so that one too large for a float is no error here; and an
//! object's keys are given one after the other, so that a key that comes twice is seen twice (assigning as they come,
//! the last one stands, as in a `serde_json` map).
//!
//! ```
//! use tapedeck_sdk::json::{self, Scanner};
//!
//! fn price(frame: &[u8]) -> Result<Option<&str>, json::Error> {
//!     let mut scanner = Scanner::new(frame);
//!     let mut price = None;
//!     let mut object = scanner.root().object()?;
//!     while let Some((key, value)) = object.next()? {
//!         match &*key {
//!             "price" => price = Some(value.number()?),
//!             _ => {} // A value that is not read is skipped, and checked all the same.
//!         }
//!     }
//!     scanner.finish()?;
//!     Ok(price)
//! }
//!
//! assert_eq!(price(br#"{"symbol":"BTC/USD","price":105944.20}"#), Ok(Some("105944.20")));
//! ```

mod containers;
mod error;
mod number;
mod skip;
mod text;
mod value;
mod write;

pub use containers::{Array, Object};
pub use error::Error;
pub use value::{Kind, Value};
pub use write::quote;

use error::Fault;

/// As many containers may be in each other: `serde_json`'s limit.
const MAX_DEPTH: u32 = 127;

/// Where a walk over one JSON text stands.
#[derive(Debug, Clone)]
pub struct Scanner<'a> {
    bytes: &'a [u8],
    at: usize,
    /// How many containers are open.
    depth: u32,
    /// What they are, innermost in the lowest bit: 1 an object, 0 an array.
    kinds: u128,
    /// Whether the innermost container was just opened, so that no comma is due.
    fresh: bool,
    /// Whether a value is due that was handed out and not read.
    unread: bool,
}

impl<'a> Scanner<'a> {
    /// A scanner at the start of a text.
    #[must_use]
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0, depth: 0, kinds: 0, fresh: false, unread: true }
    }

    /// The text's value.
    pub fn root(&mut self) -> Value<'_, 'a> {
        Value::new(self)
    }

    /// Ends the walk: reads and checks what is left of the value, and that nothing but white space follows it.
    ///
    /// # Errors
    ///
    /// What is left is not JSON, or something follows the value.
    pub fn finish(mut self) -> Result<(), Error> {
        self.close_to(0)?;
        match self.peek() {
            None => Ok(()),
            Some(_) => Err(self.fault(Fault::Trailing)),
        }
    }

    /// The next byte that is no white space, which stays there; none at the end.
    #[inline]
    fn peek(&mut self) -> Option<u8> {
        loop {
            let byte = *self.bytes.get(self.at)?;
            if byte > b' ' || !matches!(byte, b' ' | b'\n' | b'\r' | b'\t') {
                return Some(byte);
            }
            self.at += 1;
        }
    }

    /// Goes to the first byte of the value that is due.
    #[inline]
    fn due(&mut self) -> Result<u8, Error> {
        if !self.unread {
            return Err(self.fault(Fault::ReadTwice));
        }
        self.peek().ok_or_else(|| self.fault(Fault::End))
    }

    /// Marks the value that is due as read, now that it is known to be what was asked for: one of another type stays due,
    /// so that whoever asked can go on behind it.
    #[inline]
    fn take(&mut self) -> &mut Self {
        self.unread = false;
        self
    }

    /// Enters the container whose first byte is at hand.
    #[inline]
    fn enter(&mut self, object: bool) -> Result<(), Error> {
        if self.depth == MAX_DEPTH {
            return Err(self.fault(Fault::Depth));
        }
        self.at += 1;
        self.depth += 1;
        self.kinds = self.kinds << 1 | u128::from(object);
        self.fresh = true;
        Ok(())
    }

    /// Leaves the container whose last byte is at hand.
    #[inline]
    fn leave(&mut self) {
        self.at += 1;
        self.depth -= 1;
        self.kinds >>= 1;
        self.fresh = false;
    }

    /// Goes to the next key of the innermost container, an object: true at its opening quote, false behind its end.
    #[inline]
    fn next_key(&mut self) -> Result<bool, Error> {
        match self.peek() {
            Some(b'}') => {
                self.leave();
                return Ok(false);
            }
            Some(b'"') if self.fresh => self.fresh = false,
            Some(b',') if !self.fresh => {
                self.at += 1;
                if self.peek() != Some(b'"') {
                    return Err(self.fault(Fault::Key));
                }
            }
            None => return Err(self.fault(Fault::End)),
            Some(_) => return Err(self.fault(if self.fresh { Fault::Key } else { Fault::ObjectNext })),
        }
        Ok(true)
    }

    /// Passes the colon behind a key; a value is due then.
    #[inline]
    fn colon(&mut self) -> Result<(), Error> {
        if self.peek() != Some(b':') {
            return Err(self.fault(Fault::Colon));
        }
        self.at += 1;
        self.unread = true;
        Ok(())
    }

    /// Goes to the next element of the innermost container, an array: true if a value is due, false behind its end.
    #[inline]
    fn next_element(&mut self) -> Result<bool, Error> {
        match self.peek() {
            Some(b']') => {
                self.leave();
                return Ok(false);
            }
            Some(_) if self.fresh => self.fresh = false,
            Some(b',') => self.at += 1,
            None => return Err(self.fault(Fault::End)),
            Some(_) => return Err(self.fault(Fault::ArrayNext)),
        }
        self.unread = true;
        Ok(true)
    }

    #[cold]
    fn fault(&mut self, fault: Fault) -> Error {
        self.fault_at(self.at, fault)
    }

    /// An error, after which nothing more can be read if the text is no JSON: whoever goes on regardless gets no values
    /// from the middle of a token, only errors.
    #[cold]
    fn fault_at(&mut self, at: usize, fault: Fault) -> Error {
        let error = Error::new(at, fault);
        if error.is_syntax() {
            self.at = self.bytes.len();
            self.unread = true;
        }
        error
    }
}
