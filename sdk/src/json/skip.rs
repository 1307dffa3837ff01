//! Skipping values, which checks them as strictly as reading does.

use super::{Error, Fault, Scanner};

impl Scanner<'_> {
    /// Skips the value that is due.
    #[inline]
    pub(super) fn skip(&mut self) -> Result<(), Error> {
        if !self.unread {
            return Err(self.fault(Fault::ReadTwice));
        }
        self.close_to(self.depth)
    }

    /// Skips what is unread, and the rest of each container that is deeper than `depth`. A loop, not a recursion: how deep
    /// a text nests is its sender's choice, and a guest's stack is small.
    pub(super) fn close_to(&mut self, depth: u32) -> Result<(), Error> {
        loop {
            if self.unread {
                let byte = self.due()?;
                self.unread = false;
                match byte {
                    b'"' => self.skip_string()?,
                    b'0'..=b'9' | b'-' => self.skip_number()?,
                    b't' => self.word(b"true")?,
                    b'f' => self.word(b"false")?,
                    b'n' => self.word(b"null")?,
                    b'{' => self.enter(true)?,
                    b'[' => self.enter(false)?,
                    _ => return Err(self.fault(Fault::Value)),
                }
            }
            if self.depth <= depth {
                return Ok(());
            }
            if self.kinds & 1 == 0 {
                self.next_element()?;
            } else if self.next_key()? {
                self.skip_string()?;
                self.colon()?;
            }
        }
    }

    /// Passes a literal whose first byte is at hand.
    #[inline]
    pub(super) fn word(&mut self, word: &'static [u8]) -> Result<(), Error> {
        if !self.bytes[self.at..].starts_with(word) {
            return Err(self.fault(Fault::Value));
        }
        self.at += word.len();
        Ok(())
    }
}
