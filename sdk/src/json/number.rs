//! Numbers, kept as the text they are.

use super::{Error, Fault, Scanner};

impl<'a> Scanner<'a> {
    /// The text of the number at hand.
    #[inline]
    pub(super) fn number(&mut self) -> Result<&'a str, Error> {
        let start = self.at;
        self.skip_number()?;
        // Digits, signs, points and exponents: never an error.
        std::str::from_utf8(&self.bytes[start..self.at]).map_err(|_| self.fault(Fault::Number))
    }

    /// Passes the number at hand: `-? (0 | [1-9][0-9]*) (. [0-9]+)? ([eE] [+-]? [0-9]+)?`.
    #[inline]
    pub(super) fn skip_number(&mut self) -> Result<(), Error> {
        if self.bytes.get(self.at) == Some(&b'-') {
            self.at += 1;
        }
        if self.bytes.get(self.at) == Some(&b'0') {
            self.at += 1;
        } else {
            self.digits()?;
        }
        if self.bytes.get(self.at) == Some(&b'.') {
            self.at += 1;
            self.digits()?;
        }
        if let Some(b'e' | b'E') = self.bytes.get(self.at) {
            self.at += 1;
            if let Some(b'+' | b'-') = self.bytes.get(self.at) {
                self.at += 1;
            }
            self.digits()?;
        }
        // A digit behind a leading zero ends in the error of what should follow a value; at the root that is trailing text.
        Ok(())
    }

    /// Passes digits, at least one.
    #[inline]
    fn digits(&mut self) -> Result<(), Error> {
        let start = self.at;
        while let Some(b'0'..=b'9') = self.bytes.get(self.at) {
            self.at += 1;
        }
        if self.at == start { Err(self.fault(Fault::Number)) } else { Ok(()) }
    }
}
