//! Foreign bytes in sentences: bounded, and escaped so that a log stays one line.

/// How many bytes of foreign text a sentence shows.
const SHOWN: usize = 80;

/// The bytes as a quoted, escaped text of bounded length, for use in a reason; `…` follows where it was cut.
#[must_use]
pub fn excerpt(bytes: &[u8]) -> String {
    let shown = &bytes[..bytes.len().min(SHOWN)];
    let text = shown.utf8_chunks().fold(String::new(), |mut text, chunk| {
        text.extend(chunk.valid().escape_debug());
        // What a cut left of a last character is no fault of the sender.
        let cut = bytes.len() > SHOWN
            && chunk.invalid().last().is_some_and(|last| std::ptr::eq(last, &shown[shown.len() - 1]));
        if !cut {
            text.extend(chunk.invalid().iter().flat_map(|byte| byte.escape_ascii()).map(char::from));
        }
        text
    });
    let more = if bytes.len() > SHOWN { "…" } else { "" };
    format!("\"{text}{more}\"")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_and_cuts() {
        assert_eq!(excerpt(b"BTC/USD"), r#""BTC/USD""#);
        assert_eq!(excerpt(b"a\"b\nc\xff"), r#""a\"b\nc\xff""#);
        assert_eq!(excerpt("é".as_bytes()), "\"é\"");
        assert_eq!(excerpt(&[b'x'; 200]), format!("\"{}…\"", "x".repeat(80)));
        let mut odd = vec![b'x'; 79];
        odd.extend("éé".as_bytes());
        assert_eq!(excerpt(&odd), format!("\"{}…\"", "x".repeat(79)));
    }
}
