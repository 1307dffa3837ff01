//! Skipping values, which checks them as strictly as reading does.

use super::number::number_end;
use super::text::skip_string;
use super::{Due, Error, Fault, Scanner};

impl Scanner<'_> {
    /// Skips the value that is due.
    #[inline]
    pub(super) fn skip(&mut self) -> Result<(), Error> {
        if self.due != Due::Value {
            return Err(self.fault(self.at, Fault::ReadTwice));
        }
        self.close_to(self.depth)
    }

    /// Skips what is unread, and the rest of each container that is deeper than `depth`. A loop, not a recursion: how deep
    /// a text nests is its sender's choice, and a guest's stack is small.
    pub(super) fn close_to(&mut self, depth: u32) -> Result<(), Error> {
        loop {
            if self.due == Due::Value {
                let (at, byte) = self.value()?;
                let end = match byte {
                    b'"' => skip_string(self.bytes, at),
                    b'0'..=b'9' | b'-' => number_end(self.bytes, at),
                    b't' => self.word(at, b"true"),
                    b'f' => self.word(at, b"false"),
                    b'n' => self.word(at, b"null"),
                    b'{' | b'[' => {
                        self.enter(at, byte == b'{')?;
                        continue;
                    }
                    _ => Err(Error::new(at, Fault::Value)),
                };
                let end = end.map_err(|error| self.failed(error))?;
                self.read_to(end);
            }
            if self.depth <= depth {
                return Ok(());
            }
            if self.kinds & 1 == 0 {
                self.next_element()?;
            } else if let Some(at) = self.next_key()? {
                let end = skip_string(self.bytes, at).map_err(|error| self.failed(error))?;
                self.colon(end)?;
            }
        }
    }

    /// The end of a literal that should start here.
    #[inline]
    pub(super) fn word(&self, at: usize, word: &'static [u8]) -> Result<usize, Error> {
        if self.bytes[at..].starts_with(word) { Ok(at + word.len()) } else { Err(Error::new(at, Fault::Value)) }
    }
}
