//! Bytes in which only a trade's id and time change: a copy and some digits is all that a frame costs.

/// Stands for one digit of the id.
pub const ID_MARK: &str = "\u{1}";
/// Stands for one character of the time.
pub const TIME_MARK: &str = "\u{2}";
/// Digits of an id.
pub const ID_DIGITS: usize = 10;

/// A message with places for id and time.
#[derive(Debug, Clone)]
pub struct Template {
    bytes: Vec<u8>,
    ids: Vec<usize>,
    times: Vec<usize>,
}

impl Template {
    /// The message alone. Each place is a run of marks: [`ID_DIGITS`] for an id, and as many for a time as it is written with.
    #[must_use]
    pub fn plain(text: &str) -> Self {
        let bytes = text.as_bytes().to_vec();
        let starts = |mark: &str| {
            let mark = mark.as_bytes()[0];
            let is_start =
                |at: &usize| bytes[*at] == mark && at.checked_sub(1).is_none_or(|before| bytes[before] != mark);
            (0..bytes.len()).filter(is_start).collect()
        };
        Self { ids: starts(ID_MARK), times: starts(TIME_MARK), bytes }
    }

    /// The message in a text frame of the WebSocket protocol, as a server sends it.
    #[must_use]
    pub fn framed(text: &str) -> Self {
        const FINAL_TEXT: u8 = 0x81;
        let mut template = Self::plain(text);
        let head = match (u8::try_from(text.len()), u16::try_from(text.len())) {
            (Ok(length), _) if length < 126 => vec![FINAL_TEXT, length],
            (_, Ok(length)) => [&[FINAL_TEXT, 126][..], &length.to_be_bytes()].concat(),
            _ => [&[FINAL_TEXT, 127][..], &(text.len() as u64).to_be_bytes()].concat(),
        };
        template.ids.iter_mut().chain(&mut template.times).for_each(|place| *place += head.len());
        template.bytes.splice(..0, head);
        template
    }

    /// Appends the message of this trade.
    pub fn append(&self, id: u64, time: &[u8], out: &mut Vec<u8>) {
        let start = out.len();
        out.extend_from_slice(&self.bytes);
        for place in &self.ids {
            let mut rest = id;
            for digit in out[start + place..start + place + ID_DIGITS].iter_mut().rev() {
                *digit = b'0' + (rest % 10) as u8;
                rest /= 10;
            }
        }
        for place in &self.times {
            out[start + place..start + place + time.len()].copy_from_slice(time);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_and_times_are_put_in_their_places() {
        let text = format!("<{}|{}|{}>", ID_MARK.repeat(ID_DIGITS), TIME_MARK.repeat(3), ID_MARK.repeat(ID_DIGITS));
        let mut out = b"before ".to_vec();
        Template::plain(&text).append(1_600_000_042, b"now", &mut out);
        assert_eq!(out, b"before <1600000042|now|1600000042>");
    }

    #[test]
    fn a_frame_says_how_long_it_is() {
        for (length, head) in [(125, &[0x81, 125][..]), (126, &[0x81, 126, 0, 126][..]), (300, &[0x81, 126, 1, 44][..])]
        {
            let mut out = Vec::new();
            Template::framed(&"x".repeat(length)).append(0, b"", &mut out);
            assert_eq!((&out[..head.len()], out.len()), (head, head.len() + length));
        }
    }
}
