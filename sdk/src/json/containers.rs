//! Objects and arrays, walked from front to back.

use std::borrow::Cow;

use super::{Due, Error, Fault, Scanner, Value};

/// An object that is being walked. Dropping it early is fine: what is left of it is skipped, and checked, by whoever
/// goes on.
#[derive(Debug)]
pub struct Object<'s, 'a> {
    scanner: &'s mut Scanner<'a>,
    depth: u32,
}

impl<'s, 'a> Object<'s, 'a> {
    #[inline]
    pub(super) fn new(scanner: &'s mut Scanner<'a>) -> Self {
        let depth = scanner.depth;
        Self { scanner, depth }
    }

    /// The next key and its value; none behind the last one, and from then on.
    ///
    /// # Errors
    ///
    /// What was skipped or what comes next is not JSON.
    #[expect(clippy::should_implement_trait, reason = "the value borrows the object, which no Iterator can give")]
    #[inline(always)]
    pub fn next(&mut self) -> Result<Option<(Cow<'a, str>, Value<'_, 'a>)>, Error> {
        if !self.scanner.is_at(self.depth)? {
            return Ok(None);
        }
        let Some(at) = self.scanner.next_key()? else { return Ok(None) };
        let (key, end) = self.scanner.string(at)?;
        self.scanner.colon(end)?;
        Ok(Some((key, Value::new(self.scanner))))
    }
}

/// An array that is being walked. Dropping it early is fine, as with an [`Object`].
#[derive(Debug)]
pub struct Array<'s, 'a> {
    scanner: &'s mut Scanner<'a>,
    depth: u32,
}

impl<'s, 'a> Array<'s, 'a> {
    #[inline]
    pub(super) fn new(scanner: &'s mut Scanner<'a>) -> Self {
        let depth = scanner.depth;
        Self { scanner, depth }
    }

    /// The next element; none behind the last one, and from then on.
    ///
    /// # Errors
    ///
    /// What was skipped or what comes next is not JSON.
    #[expect(clippy::should_implement_trait, reason = "the value borrows the array, which no Iterator can give")]
    #[inline(always)]
    pub fn next(&mut self) -> Result<Option<Value<'_, 'a>>, Error> {
        if !self.scanner.is_at(self.depth)? || !self.scanner.next_element()? {
            return Ok(None);
        }
        Ok(Some(Value::new(self.scanner)))
    }

    /// The next element of an array of fixed form.
    ///
    /// # Errors
    ///
    /// The array has no more, or as of [`next`](Self::next).
    #[inline]
    pub fn element(&mut self) -> Result<Value<'_, 'a>, Error> {
        if !self.scanner.is_at(self.depth)? || !self.scanner.next_element()? {
            return Err(self.scanner.fault(self.scanner.at, Fault::Short));
        }
        Ok(Value::new(self.scanner))
    }
}

impl Scanner<'_> {
    /// Skips what is unread inside the container of this depth; false if that container has ended.
    #[inline]
    fn is_at(&mut self, depth: u32) -> Result<bool, Error> {
        if self.due == Due::Value || self.depth > depth {
            self.close_to(depth)?;
        }
        Ok(self.depth == depth)
    }
}
