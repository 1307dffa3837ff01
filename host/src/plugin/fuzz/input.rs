//! Values out of bytes, for everything that a fuzz target makes up.

/// Bytes that are used up from the front; behind their end there are zeros.
#[derive(Clone, Debug)]
pub struct Input<'a>(&'a [u8]);

impl<'a> Input<'a> {
    /// Of these bytes.
    #[must_use]
    pub fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    /// One byte.
    pub fn byte(&mut self) -> u8 {
        let Some((first, rest)) = self.0.split_first() else { return 0 };
        self.0 = rest;
        *first
    }

    /// Mostly small, as an index is that fits.
    pub fn index(&mut self) -> u32 {
        match self.byte() {
            255 => u32::MAX,
            254 => self.number() as u32,
            small => u32::from(small % 8),
        }
    }

    /// Eight bytes.
    pub fn number(&mut self) -> u64 {
        u64::from_le_bytes(std::array::from_fn(|_| self.byte()))
    }

    /// So many bytes, or as many as there are.
    pub fn bytes(&mut self, length: usize) -> &'a [u8] {
        let (bytes, rest) = self.0.split_at(length.min(self.0.len()));
        self.0 = rest;
        bytes
    }

    /// All that is left.
    pub fn rest(&mut self) -> &'a [u8] {
        std::mem::take(&mut self.0)
    }

    /// Texts of all lengths up to some beyond what is allowed, and not always UTF-8 to begin with.
    pub fn text(&mut self) -> String {
        let (length, times) = (usize::from(self.byte()), 1 + usize::from(self.byte() >> 4));
        String::from_utf8_lossy(self.bytes(length)).repeat(times)
    }

    /// Fewer than 32 of something.
    pub fn list<T>(&mut self, mut element: impl FnMut(&mut Self) -> T) -> Vec<T> {
        let length = self.byte() % 32;
        (0..length).map(|_| element(self)).collect()
    }
}
