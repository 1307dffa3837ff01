//! Foreign text made fit to show: bounded in length, without control characters.

/// The text, cut to `max_bytes` of UTF-8 (then ending in `…`), with control characters, line and direction marks escaped, so that it
/// can stand in a log line, a header or a terminal without doing anything there.
#[must_use]
pub fn bounded_escaped(text: &str, max_bytes: usize) -> String {
    const MARK: char = '…';
    let mut shown = String::with_capacity(text.len().min(max_bytes));
    // The longest prefix that leaves room for the mark, in case that the text turns out too long.
    let mut cut = 0;
    for character in text.chars() {
        if needs_escape(character) {
            shown.extend(character.escape_unicode());
        } else {
            shown.push(character);
        }
        if shown.len() + MARK.len_utf8() <= max_bytes {
            cut = shown.len();
        }
        if shown.len() > max_bytes {
            shown.truncate(cut);
            if max_bytes >= MARK.len_utf8() {
                shown.push(MARK);
            }
            break;
        }
    }
    shown
}

/// Whether a text is already fit to show.
pub(super) fn is_showable(text: &str) -> bool {
    // Nearly every id and symbol is ASCII.
    let is_plain = |byte: u8| (b' '..0x7f).contains(&byte);
    text.bytes().all(is_plain) || !text.chars().any(needs_escape)
}

/// Control characters, and the marks that break lines or turn the direction of writing.
fn needs_escape(character: char) -> bool {
    character.is_control()
        || matches!(character, '\u{2028}' | '\u{2029}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn text_is_cut_and_escaped() {
        for (text, max, shown) in [
            ("plain", 5, "plain"),
            ("plain text", 8, "plain…"),
            ("a\nb", 20, "a\\u{a}b"),
            ("\u{1b}[31m", 20, "\\u{1b}[31m"),
            ("\u{202e}gnp.exe", 30, "\\u{202e}gnp.exe"),
            ("ääää", 8, "ääää"),
            ("ääääb", 8, "ää…"),
            ("abc", 2, ""),
            ("", 0, ""),
        ] {
            assert_eq!(bounded_escaped(text, max), shown, "{text:?} in {max}");
        }
    }

    #[test]
    fn what_is_fit_to_show_is_known() {
        for (text, showable) in [
            ("", true),
            ("BTC-1'); DROP TABLE silver_trades; --", true),
            ("ünïcode 比特币", true),
            ("\n", false),
            ("\u{7f}", false),
            ("\u{9b}31m", false),
            ("a\u{202e}b", false),
            ("\u{2028}", false),
        ] {
            assert_eq!(is_showable(text), showable, "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn never_longer_than_asked_and_never_a_control(text in any::<String>(), max in 0_usize..100) {
            let shown = bounded_escaped(&text, max);
            prop_assert!(shown.len() <= max);
            prop_assert!(is_showable(&shown));
        }
    }
}
