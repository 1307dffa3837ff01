//! A dead letter, whoever wrote it: what is shown of it does nothing in a terminal.

use std::collections::BTreeSet;

use serde_json::Value;
use tapedeck::dead_letters::{Filter, Letter, LetterId, LetterList, page};
use tapedeck::plugin::fuzz::Input;

use super::is_obeyed;

/// The names that the host writes.
const NAMES: [&str; 7] = ["kind", "reason", "received-at-us", "plugin", "plugin-version", "session", "exchange"];

pub(super) fn run(bytes: &[u8]) {
    let mut input = Input::new(bytes);
    let letter = letter(&mut input);
    let shown = page("acme", &letter);
    check_lines(&shown);
    let lines = shown.lines().count() - letter.headers.len();
    assert!(lines == 3 || (lines == 4 && letter.frame.len() > 64 << 10), "{shown}");

    let mut list = LetterList::default();
    for offset in [letter.id.offset, i64::MIN, i64::MAX] {
        let id = LetterId { offset, ..letter.id };
        list.add("acme", &Letter { id, ..letter.clone() }, 2);
    }
    check_lines(&list.table());
    let json = list.json().unwrap_or_else(|error| panic!("{error}"));
    let Ok(Value::Array(letters)) = serde_json::from_str(&json) else { panic!("{json}") };
    assert!(letters.len() <= 2 && list.ids().count() == letters.len() && list.total() == 3);
    let texts = letters.iter().flat_map(|letter| letter.as_object()).flat_map(|letter| letter.values());
    for text in texts.filter_map(Value::as_str) {
        assert!(!text.chars().any(is_obeyed), "{text:?}");
    }

    let kind = letter.header("kind").map(str::to_owned);
    let filter = Filter { kind, since: None, ids: BTreeSet::from([letter.id]) };
    assert!(filter.takes(&letter));
    if let Ok(id) = String::from_utf8_lossy(&letter.frame).parse::<LetterId>() {
        assert_eq!(id.to_string().parse(), Ok(id));
    }
}

fn check_lines(text: &str) {
    let obeyed = text.chars().find(|character| is_obeyed(*character) && *character != '\n');
    assert_eq!(obeyed, None, "{text:?}");
}

fn letter(input: &mut Input<'_>) -> Letter {
    Letter {
        id: LetterId { partition: input.index().cast_signed(), offset: input.number() as i64 },
        written_at_us: input.number() as i64,
        headers: input.list(|input| {
            let name = NAMES.get(usize::from(input.byte() % 8)).map_or_else(|| input.text(), |name| (*name).to_owned());
            let length = input.byte();
            (name, input.bytes(length.into()).to_vec())
        }),
        frame: input.rest().to_vec(),
    }
}
