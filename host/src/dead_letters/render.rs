//! Letters for people and programs. Whatever came from an exchange or a plugin is escaped and bounded.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use comfy_table::{CellAlignment, Table, presets};
use jiff::Timestamp;
use serde::Serialize;

use super::letter::Letter;
use crate::plugin::bounded_escaped;

/// Bytes of a reason in the table.
const MAX_REASON: usize = 120;

/// Bytes of a header that is no reason.
const MAX_NAME: usize = 64;

/// Bytes of a frame that are shown: more is for a file, not for eyes.
const MAX_FRAME: usize = 64 << 10;

/// What a list says of a letter.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Summary {
    /// Its exchange.
    pub exchange: String,
    /// Where it lies, `partition:offset`.
    pub letter: String,
    /// When the host received the frame, UTC.
    pub received_at: String,
    /// When the host received the frame, µs since 1970 UTC.
    pub received_at_us: i64,
    /// Who refused it.
    pub kind: String,
    /// Plugin that refused it.
    pub plugin: String,
    /// Its version.
    pub plugin_version: String,
    /// The session that it came by.
    pub session: String,
    /// Bytes of the frame.
    pub bytes: usize,
    /// Why it was refused.
    pub reason: String,
}

impl Summary {
    /// Of a letter.
    pub fn of(exchange: &str, letter: &Letter) -> Self {
        let text = |name, max| bounded_escaped(letter.header(name).unwrap_or("?"), max);
        Self {
            exchange: exchange.to_owned(),
            letter: letter.id.to_string(),
            received_at: time(letter.received_at_us()),
            received_at_us: letter.received_at_us(),
            kind: text("kind", MAX_NAME),
            plugin: text("plugin", MAX_NAME),
            plugin_version: text("plugin-version", MAX_NAME),
            session: text("session", MAX_NAME),
            bytes: letter.frame.len(),
            reason: text("reason", 1024),
        }
    }
}

/// The newest letters, oldest first.
#[derive(Clone, Debug, Default)]
pub struct LetterList {
    newest: BTreeMap<(i64, String, super::LetterId), Summary>,
    total: u64,
}

impl LetterList {
    /// Counts a letter, and keeps it if it is one of the `most` newest.
    pub fn add(&mut self, exchange: &str, letter: &Letter, most: usize) {
        self.total += 1;
        let key = (letter.received_at_us(), exchange.to_owned(), letter.id);
        self.newest.insert(key, Summary::of(exchange, letter));
        if self.newest.len() > most {
            self.newest.pop_first();
        }
    }

    /// Letters that were counted.
    pub fn total(&self) -> u64 {
        self.total
    }

    /// Letters that are kept, by exchange and place.
    pub fn ids(&self) -> impl Iterator<Item = (&str, super::LetterId)> {
        self.newest.keys().map(|(_, exchange, id)| (exchange.as_str(), *id))
    }

    /// Aligned columns and a line with the number.
    pub fn table(&self) -> String {
        let shown = self.newest.len() as u64;
        if shown == 0 {
            return "no dead letters\n".to_owned();
        }
        let mut table = Table::new();
        let columns = ["exchange", "letter", "received at", "kind", "plugin", "session", "bytes", "reason"];
        table.load_style(presets::UTF8_BORDERS_ONLY).set_header(columns);
        for summary in self.newest.values() {
            table.add_row([
                summary.exchange.clone(),
                summary.letter.clone(),
                summary.received_at.clone(),
                summary.kind.clone(),
                format!("{} {}", summary.plugin, summary.plugin_version),
                summary.session.clone(),
                summary.bytes.to_string(),
                bounded_escaped(&summary.reason, MAX_REASON),
            ]);
        }
        if let Some(column) = table.column_mut(6) {
            column.set_cell_alignment(CellAlignment::Right);
        }
        let of = if shown < self.total { format!("the newest {shown} of ") } else { String::new() };
        format!("{table}\n{of}{} dead letters\n", self.total)
    }

    /// An array of objects.
    ///
    /// # Errors
    /// None that a letter could cause.
    pub fn json(&self) -> anyhow::Result<String> {
        Ok(serde_json::to_string_pretty(&self.newest.values().collect::<Vec<_>>())? + "\n")
    }
}

/// One letter: its headers, and its frame with everything escaped that could do something in a terminal.
pub fn page(exchange: &str, letter: &Letter) -> String {
    let mut page = format!("letter {} of {exchange}, received at {}\n", letter.id, time(letter.received_at_us()));
    for (name, value) in &letter.headers {
        let value = bounded_escaped(&String::from_utf8_lossy(value), 2048);
        let _ = writeln!(page, "  {:<16} {value}", bounded_escaped(name, MAX_NAME));
    }
    let _ = writeln!(page, "frame, {} bytes:", letter.frame.len());
    let shown = letter.frame.get(..MAX_FRAME).unwrap_or(&letter.frame);
    page.push_str(&escaped(shown));
    page.push('\n');
    let left = letter.frame.len() - shown.len();
    if left > 0 {
        let _ = writeln!(page, "… and {left} more bytes; --raw writes all of them as they are");
    }
    page
}

/// Bytes as text: what is not UTF-8 as `\xNN`, what does something in a terminal as `\u{N}`, a backslash doubled.
fn escaped(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        for character in chunk.valid().chars() {
            match character {
                '\\' => text.push_str("\\\\"),
                '\n' => text.push_str("\\n"),
                '\r' => text.push_str("\\r"),
                '\t' => text.push_str("\\t"),
                other => text.push_str(&bounded_escaped(other.encode_utf8(&mut [0; 4]), 16)),
            }
        }
        for byte in chunk.invalid() {
            let _ = write!(text, "\\x{byte:02x}");
        }
    }
    text
}

/// A time in UTC, or its number where it is none.
fn time(us: i64) -> String {
    Timestamp::from_microsecond(us).map_or_else(|_| us.to_string(), |time| time.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dead_letters::LetterId;

    fn letter(offset: i64, headers: &[(&str, &str)], frame: &[u8]) -> Letter {
        let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), value.as_bytes().to_vec()));
        Letter {
            id: LetterId { partition: 1, offset },
            headers: headers.collect(),
            frame: frame.to_vec(),
            written_at_us: 1_700_000_000_000_000 + offset,
        }
    }

    #[test]
    fn bytes_are_shown_without_doing_anything() {
        for (bytes, shown) in [
            (&b"{\"a\":1}"[..], "{\"a\":1}"),
            (b"\x1b[2J\n\\", "\\u{1b}[2J\\n\\\\"),
            ("é\u{202e}".as_bytes(), "é\\u{202e}"),
            (b"a\xff\x00", "a\\xff\\u{0}"),
            (b"", ""),
        ] {
            assert_eq!(escaped(bytes), shown);
        }
    }

    #[test]
    fn a_page_has_headers_and_a_bounded_frame() {
        let letter =
            letter(7, &[("reason", "\u{7}no"), ("received-at-us", "1700000000000001")], &[b'x'; MAX_FRAME + 5]);
        let page = page("acme", &letter);
        assert!(page.starts_with("letter 1:7 of acme, received at 2023-11-14T22:13:20.000001Z\n"), "{page:.200}");
        assert!(page.contains("  reason           \\u{7}no\n"), "{page:.200}");
        assert!(page.ends_with("… and 5 more bytes; --raw writes all of them as they are\n"));
    }

    #[test]
    fn a_list_keeps_the_newest() {
        let mut list = LetterList::default();
        for offset in [3, 1, 2] {
            list.add("acme", &letter(offset, &[("kind", "trap"), ("reason", "a\nb")], b"frame"), 2);
        }
        assert_eq!(list.ids().map(|(_, id)| id.offset).collect::<Vec<_>>(), [2, 3]);
        let table = list.table();
        assert!(table.contains("1:3") && !table.contains("1:1 ") && table.contains("a\\u{a}b"), "{table}");
        assert!(table.ends_with("the newest 2 of 3 dead letters\n"), "{table}");
        let json: serde_json::Value = serde_json::from_str(&list.json().unwrap_or_default()).unwrap_or_default();
        assert_eq!((&json[0]["letter"], &json[1]["bytes"]), (&"1:2".into(), &5.into()));
        assert_eq!(LetterList::default().table(), "no dead letters\n");
    }
}
