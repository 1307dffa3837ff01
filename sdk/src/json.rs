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
mod digits;
mod error;
mod escape;
mod form;
mod number;
mod skip;
mod text;
mod value;
mod write;

pub use containers::{Array, Object};
pub use error::Error;
pub use form::Form;
pub use value::{Kind, Value};
pub use write::quote;

use error::Fault;

/// As many containers may be in each other: `serde_json`'s limit.
const MAX_DEPTH: u32 = 127;

/// Where a walk over one JSON text stands.
///
/// What reads a token works on a copy of `at` and writes it back once: a guest pays for each trip through memory.
#[derive(Debug, Clone)]
pub struct Scanner<'a> {
    bytes: &'a [u8],
    at: usize,
    /// How many containers are open.
    depth: u32,
    due: Due,
    /// What the open containers are, innermost in the lowest bit: 1 an object, 0 an array.
    kinds: u128,
}

/// What is to come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Due {
    /// A value, which was handed out and not read.
    Value,
    /// The first key or element of the innermost container, or its end.
    First,
    /// A comma, or the end of the innermost container.
    Next,
}

impl<'a> Scanner<'a> {
    /// A scanner at the start of a text.
    #[must_use]
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0, depth: 0, due: Due::Value, kinds: 0 }
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
        let at = skip_space(self.bytes, self.at);
        if at == self.bytes.len() { Ok(()) } else { Err(self.fault(at, Fault::Trailing)) }
    }

    /// The place and first byte of the value that is due, which stays due: so does one of another type than was asked for.
    #[inline(always)]
    fn value(&mut self) -> Result<(usize, u8), Error> {
        if self.due != Due::Value {
            return Err(self.fault(self.at, Fault::ReadTwice));
        }
        let at = skip_space(self.bytes, self.at);
        match self.bytes.get(at) {
            Some(&byte) => Ok((at, byte)),
            None => Err(self.fault(at, Fault::End)),
        }
    }

    /// The value that was due is read, up to here.
    #[inline(always)]
    fn read_to(&mut self, at: usize) {
        self.at = at;
        self.due = Due::Next;
    }

    /// Enters the container whose first byte is here.
    #[inline]
    fn enter(&mut self, at: usize, object: bool) -> Result<(), Error> {
        if self.depth == MAX_DEPTH {
            return Err(self.fault(at, Fault::Depth));
        }
        self.at = at + 1;
        self.depth += 1;
        self.kinds = self.kinds << 1 | u128::from(object);
        self.due = Due::First;
        Ok(())
    }

    /// Leaves the container whose last byte is here.
    #[inline]
    fn leave(&mut self, at: usize) {
        self.at = at + 1;
        self.depth -= 1;
        self.kinds >>= 1;
        self.due = Due::Next;
    }

    /// Goes to the next key of the innermost container, an object: the place of its opening quote, or none if the object
    /// ends.
    #[inline(always)]
    fn next_key(&mut self) -> Result<Option<usize>, Error> {
        let at = skip_space(self.bytes, self.at);
        let first = self.due == Due::First;
        let at = match self.bytes.get(at) {
            Some(b',') if !first => skip_space(self.bytes, at + 1),
            Some(b'"') if first => return Ok(Some(at)),
            Some(b'}') => {
                self.leave(at);
                return Ok(None);
            }
            None => return Err(self.fault(at, Fault::End)),
            Some(_) => return Err(self.fault(at, if first { Fault::Key } else { Fault::ObjectNext })),
        };
        if self.bytes.get(at) == Some(&b'"') { Ok(Some(at)) } else { Err(self.fault(at, Fault::Key)) }
    }

    /// Passes the colon behind a key that ends here; a value is due then.
    #[inline(always)]
    fn colon(&mut self, at: usize) -> Result<(), Error> {
        let at = skip_space(self.bytes, at);
        if self.bytes.get(at) != Some(&b':') {
            return Err(self.fault(at, Fault::Colon));
        }
        self.at = at + 1;
        self.due = Due::Value;
        Ok(())
    }

    /// Goes to the next element of the innermost container, an array: true if a value is due, false behind its end.
    #[inline(always)]
    fn next_element(&mut self) -> Result<bool, Error> {
        let at = skip_space(self.bytes, self.at);
        self.at = match self.bytes.get(at) {
            Some(b']') => {
                self.leave(at);
                return Ok(false);
            }
            Some(_) if self.due == Due::First => at,
            Some(b',') => at + 1,
            None => return Err(self.fault(at, Fault::End)),
            Some(_) => return Err(self.fault(at, Fault::ArrayNext)),
        };
        self.due = Due::Value;
        Ok(true)
    }

    #[cold]
    fn fault(&mut self, at: usize, fault: Fault) -> Error {
        self.failed(Error::new(at, fault))
    }

    /// After an error of syntax nothing more can be read: whoever goes on regardless gets no values from the middle of a
    /// token, only errors.
    #[cold]
    fn failed(&mut self, error: Error) -> Error {
        if error.is_syntax() {
            self.at = self.bytes.len();
            self.due = Due::Value;
        }
        error
    }
}

/// The next place that is no white space, or the end.
#[inline(always)]
fn skip_space(bytes: &[u8], mut at: usize) -> usize {
    while let Some(&byte) = bytes.get(at) {
        if byte > b' ' || !matches!(byte, b' ' | b'\n' | b'\r' | b'\t') {
            break;
        }
        at += 1;
    }
    at
}
