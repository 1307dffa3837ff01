//! Frames received, kept as one block: what a session fills and a plugin decodes.

/// Frames one behind the other in one block of bytes, so that a batch crosses into the sandbox in a single copy. Cleared
/// and filled again without giving its memory back.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FrameBatch {
    bytes: Vec<u8>,
    ends: Vec<u32>,
}

impl FrameBatch {
    /// The most bytes that a batch can hold: its offsets have 32 bits.
    pub const MAX_BYTES: usize = u32::MAX as usize;

    /// An empty batch.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// A batch of frames that lie one behind the other, by where each ends. None if these are not the ends of such frames.
    #[must_use]
    pub fn from_parts(bytes: Vec<u8>, ends: Vec<u32>) -> Option<Self> {
        let fits = ends.is_sorted() && ends.last().map_or(0, |end| *end as usize) == bytes.len();
        fits.then_some(Self { bytes, ends })
    }

    /// Appends a frame. False, and nothing appended, if the batch would grow beyond [`FrameBatch::MAX_BYTES`].
    #[must_use]
    pub fn push(&mut self, frame: &[u8]) -> bool {
        let Ok(end) = u32::try_from(self.bytes.len() + frame.len()) else { return false };
        self.bytes.extend_from_slice(frame);
        self.ends.push(end);
        true
    }

    /// How many frames it holds.
    #[must_use]
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether it holds no frame.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// The frame of this index.
    #[must_use]
    pub fn get(&self, index: usize) -> Option<&[u8]> {
        let end = *self.ends.get(index)? as usize;
        let start = index.checked_sub(1).map_or(0, |before| self.ends[before] as usize);
        Some(&self.bytes[start..end])
    }

    /// The frames, oldest first.
    pub fn iter(&self) -> impl Iterator<Item = &[u8]> {
        let starts = std::iter::once(0).chain(self.ends.iter().copied());
        starts.zip(&self.ends).map(|(start, end)| &self.bytes[start as usize..*end as usize])
    }

    /// All bytes, frame behind frame.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Where each frame ends in [`FrameBatch::bytes`].
    #[must_use]
    pub fn ends(&self) -> &[u32] {
        &self.ends
    }

    /// Forgets the frames, keeps the memory.
    pub fn clear(&mut self) {
        self.bytes.clear();
        self.ends.clear();
    }

    /// Forgets the frames, and gives back memory beyond this many bytes, so that one large frame does not hold it for good.
    pub fn shrink(&mut self, keep_bytes: usize) {
        self.clear();
        self.bytes.shrink_to(keep_bytes);
        self.ends.shrink_to(keep_bytes / size_of::<u32>());
    }

    /// Gives back memory beyond this many bytes, after a batch that was unusually large.
    pub fn shrink_to(&mut self, bytes: usize) {
        self.bytes.shrink_to(bytes);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_come_out_as_they_went_in() {
        let frames: [&[u8]; 4] = [b"one", b"", b"\xff\x00", b"four"];
        let mut batch = FrameBatch::new();
        for frame in frames {
            assert!(batch.push(frame));
        }
        assert_eq!(batch.len(), 4);
        assert_eq!(batch.iter().collect::<Vec<_>>(), frames);
        for (index, frame) in frames.iter().enumerate() {
            assert_eq!(batch.get(index), Some(*frame));
        }
        assert_eq!(batch.get(4), None);
        assert_eq!(FrameBatch::from_parts(b"one\xff\x00four".to_vec(), vec![3, 3, 5, 9]), Some(batch.clone()));
        for wrong in [vec![], vec![3, 2, 5, 9], vec![3, 3, 5, 8], vec![3, 3, 5, 10]] {
            assert_eq!(FrameBatch::from_parts(batch.bytes().to_vec(), wrong), None);
        }
        batch.clear();
        assert!(batch.is_empty() && batch.bytes().is_empty());
        assert!(batch.push(&[0; 10_000]));
        batch.shrink(100);
        assert!(batch.is_empty() && batch.bytes.capacity() < 10_000);
    }
}
