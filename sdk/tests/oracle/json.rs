//! The scanner against `serde_json`: the same values, or an error of both.

use proptest::prelude::*;
use serde_json::Value as Tree;
use tapedeck_sdk::json::{Error, Kind, Scanner, Value};

use crate::documents::{byte, document, mutated};

/// What the scanner gives for a whole text, as `serde_json` would hold it.
fn scan(text: &[u8]) -> Result<Tree, Error> {
    let mut scanner = Scanner::new(text);
    let tree = tree(scanner.root())?;
    scanner.finish()?;
    Ok(tree)
}

fn tree(mut value: Value<'_, '_>) -> Result<Tree, Error> {
    Ok(match value.kind()? {
        Kind::Null => value.null().map(|()| Tree::Null)?,
        Kind::Bool => Tree::Bool(value.bool()?),
        Kind::String => Tree::String(value.str()?.into_owned()),
        // serde_json itself turns the text into its number.
        Kind::Number => serde_json::from_str(value.number()?).unwrap_or(Tree::Null),
        Kind::Array => {
            let mut array = value.array()?;
            let mut elements = Vec::new();
            while let Some(element) = array.next()? {
                elements.push(tree(element)?);
            }
            Tree::Array(elements)
        }
        Kind::Object => {
            let mut object = value.object()?;
            let mut members = serde_json::Map::new();
            while let Some((key, value)) = object.next()? {
                members.insert(key.into_owned(), tree(value)?);
            }
            Tree::Object(members)
        }
    })
}

/// Reads nothing: what is skipped must be checked as what is read.
fn skip(text: &[u8]) -> Result<(), Error> {
    let mut scanner = Scanner::new(text);
    scanner.root().skip()?;
    scanner.finish()
}

/// Reads every other value, and leaves containers early.
fn read_some(text: &[u8]) -> Result<(), Error> {
    fn some(mut value: Value<'_, '_>, budget: &mut u32) -> Result<(), Error> {
        *budget = budget.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        match (*budget >> 30, value.kind()?) {
            (0, _) => return Ok(()),
            (1, _) if *budget >> 29 == 2 => return value.raw().map(drop),
            (1, _) => match value.bool() {
                // A value of another type can be passed by.
                Err(error) if !error.is_syntax() => return Ok(()),
                read => return read.map(drop),
            },
            (_, Kind::Object) => {
                let mut object = value.object()?;
                while let Some((_, value)) = object.next()? {
                    some(value, budget)?;
                    if *budget >> 29 == 3 {
                        return Ok(());
                    }
                }
                assert!(object.next()?.is_none());
            }
            (_, Kind::Array) => {
                let mut array = value.array()?;
                while let Some(value) = array.next()? {
                    some(value, budget)?;
                    if *budget >> 29 == 5 {
                        return Ok(());
                    }
                }
                assert!(array.next()?.is_none());
            }
            (_, _) => value.skip()?,
        }
        Ok(())
    }
    let mut scanner = Scanner::new(text);
    some(scanner.root(), &mut (text.len() as u32))?;
    scanner.finish()
}

/// Goes on after every error, and must not get away with it.
fn ignore_errors(text: &[u8]) -> Result<(), Error> {
    fn ignore(mut value: Value<'_, '_>) {
        match value.kind() {
            Ok(Kind::Object) => {
                let Ok(mut object) = value.object() else { return };
                for _ in 0..8 {
                    if let Ok(Some((_, value))) = object.next() {
                        ignore(value);
                    }
                }
            }
            Ok(Kind::Array) => {
                let Ok(mut array) = value.array() else { return };
                for _ in 0..8 {
                    if let Ok(Some(value)) = array.next() {
                        ignore(value);
                    }
                }
            }
            _ => drop(value.str()),
        }
    }
    let mut scanner = Scanner::new(text);
    ignore(scanner.root());
    scanner.finish()
}

/// Compares all ways of reading with `serde_json`.
fn compare(text: &[u8]) {
    let scanned = scan(text);
    match serde_json::from_slice::<Tree>(text) {
        Ok(tree) => assert_eq!(scanned.as_ref(), Ok(&tree), "{}", text.escape_ascii()),
        // The one difference: a number is text here, however large.
        Err(error) if error.to_string().starts_with("number out of range") => return,
        Err(error) => {
            assert!(scanned.is_err(), "serde_json says {error}, the scanner takes it: {}", text.escape_ascii());
            assert!(scanned.is_err_and(|error| error.is_syntax()));
        }
    }
    assert_eq!(skip(text).is_ok(), scan(text).is_ok(), "skipping differs from reading: {}", text.escape_ascii());
    assert_eq!(ignore_errors(text).is_ok(), scan(text).is_ok(), "errors can be ignored: {}", text.escape_ascii());
    assert_eq!(read_some(text).is_ok(), scan(text).is_ok(), "reading some differs from all: {}", text.escape_ascii());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn well_formed(text in document()) {
        compare(text.as_bytes());
    }

    #[test]
    fn mutations(text in mutated()) {
        compare(&text);
    }

    #[test]
    fn noise(text in prop::collection::vec(byte(), 0..40)) {
        compare(&text);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 100, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn truncations(text in document()) {
        for end in 0..text.len() {
            compare(&text.as_bytes()[..end]);
        }
    }
}

/// Every single byte at every place of a text that has all kinds of token.
#[test]
fn every_byte_everywhere() {
    let text = br#"{"a":[1,-0.5e+3,"x\n\u00e9\uD834\udd1e/",true,false,null,{}],"bcdefghi":"jklmnopqrstuvwx\"y"} "#;
    compare(text);
    for at in 0..text.len() {
        for byte in 0..=255 {
            let mut changed = text.to_vec();
            changed[at] = byte;
            compare(&changed);
            changed.insert(at, text[at]);
            compare(&changed);
        }
    }
}

#[test]
fn corpus() {
    let texts: &[&[u8]] = &[
        b"",
        b" ",
        b"\xef\xbb\xbf1",
        b"nul",
        b"nulll",
        b"true false",
        b"1 2",
        b"01",
        b"-",
        b"-01",
        b"1.",
        b".5",
        b"1e",
        b"1e+",
        b"+1",
        b"0x1",
        b"NaN",
        b"Infinity",
        b"1_000",
        b"-0",
        b"-0.0",
        b"1E400",
        b"123456789012345678901234567890",
        b"\"",
        b"\"\\",
        b"\"\\u",
        b"\"\\u12",
        b"\"\\u12G4\"",
        b"\"\\x41\"",
        b"\"\\ud800\"",
        b"\"\\udc00\"",
        b"\"\\ud800\\u0041\"",
        b"\"\\ud800\\ud800\"",
        b"\"\\ud800x\"",
        b"\"\\uD83D\\uDE00\"",
        b"\"\x00\"",
        b"\"\x1f\"",
        b"\"\x7f\"",
        b"\"\n\"",
        b"\"\xff\"",
        b"\"\xc3\"",
        b"\"\xc3\\n\"",
        b"\"\xc0\x80\"",
        b"\"\xed\xa0\x80\"",
        b"\"\xf4\x90\x80\x80\"",
        b"\"\xf0\x9f\x98\x80\"",
        b"[",
        b"]",
        b"[,]",
        b"[1,]",
        b"[1 2]",
        b"[1,,2]",
        b"{",
        b"}",
        b"{,}",
        b"{\"a\"}",
        b"{\"a\":}",
        b"{\"a\":1,}",
        b"{\"a\" 1}",
        b"{a:1}",
        b"{'a':1}",
        b"{1:1}",
        b"{\"a\":1]",
        b"[1}",
        b"{\"a\":1 \"b\":2}",
        b"[1]]",
        b"{}{}",
        b"[]x",
        b"// c\n1",
        b"{\"a\":1,\"a\":2}",
        b"[\"a\",\x0b1]",
        b"\xa01",
        b"[1\x00]",
        b"{\"\":{\"\":[[],{}]}}",
        b"\"a\\/b\"",
        b"[\"\\u0000\"]",
        b"{\"\\u0061\":1}",
        b"tru\xff",
        b"[nul]",
        b"[t]",
    ];
    for text in texts {
        compare(text);
    }
}

#[test]
fn as_deep_as_serde_json() {
    for depth in [1, 2, 64, 126, 127, 128, 129, 200, 100_000] {
        compare("[".repeat(depth).as_bytes());
        compare(format!("{}{}", "[".repeat(depth), "]".repeat(depth)).as_bytes());
        compare(format!("{}1{}", "{\"a\":".repeat(depth), "}".repeat(depth)).as_bytes());
        compare(format!("{}{}", "[{\"a\":".repeat(depth), "1}]".repeat(depth)).as_bytes());
    }
}

/// Recorded messages are what plugins meet.
#[test]
fn recorded_messages() {
    let Some(file) = tapedeck_sdk::testing::recorded_messages("kraken.jsonl") else { return };
    let folder = file.parent().map(std::fs::read_dir).into_iter().flatten().flatten();
    for path in folder.filter_map(Result::ok).map(|entry| entry.path()) {
        for line in std::fs::read(&path).unwrap().split(|byte| *byte == b'\n') {
            compare(line);
        }
        if path.extension().is_some_and(|extension| extension == "jsonl") {
            for message in tapedeck_sdk::testing::read_messages(&path) {
                compare(message.raw.as_bytes());
            }
        }
    }
}

#[test]
fn borrows_where_nothing_is_escaped() {
    let text = r#"["plain é","with \n"]"#;
    let mut scanner = Scanner::new(text.as_bytes());
    let mut array = scanner.root().array().unwrap();
    assert!(matches!(array.element().unwrap().str().unwrap(), std::borrow::Cow::Borrowed("plain é")));
    assert!(matches!(array.element().unwrap().str().unwrap(), std::borrow::Cow::Owned(text) if text == "with \n"));
    assert!(!array.element().unwrap_err().is_syntax());
}

#[test]
fn says_what_and_where() {
    let mut scanner = Scanner::new(br#"{"price": true}"#);
    let mut object = scanner.root().object().unwrap();
    let (_, value) = object.next().unwrap().unwrap();
    assert_eq!(value.decimal().unwrap_err().to_string(), "a string or a number was expected (byte 10)");
    let mut scanner = Scanner::new(b"1");
    scanner.root().skip().unwrap();
    assert_eq!(
        scanner.root().skip().unwrap_err().to_string(),
        "the value was read before: a fault of the plugin (byte 1)"
    );
}

#[test]
fn integers() {
    for (text, unsigned, signed) in [
        ("18446744073709551615", Some(u64::MAX), None),
        ("18446744073709551616", None, None),
        ("-9223372036854775808", None, Some(i64::MIN)),
        ("0", Some(0), Some(0)),
        ("1.0", None, None),
        ("1e3", None, None),
        ("\"1\"", None, None),
    ] {
        assert_eq!(Scanner::new(text.as_bytes()).root().u64().ok(), unsigned, "{text}");
        assert_eq!(Scanner::new(text.as_bytes()).root().i64().ok(), signed, "{text}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_500, failure_persistence: None, ..ProptestConfig::default() })]

    /// The quick ways to numbers against the slow ones, for what is a number and for what is nearly one.
    #[test]
    fn numbers(text in "-?[0-9]{0,24}(\\.[0-9]{0,24})?([eE][+-]?[0-9]{0,3})?", behind in "(|,1234567|\"1234567|\\.5| )") {
        use tapedeck_sdk::Decimal;
        let quoted = format!("[\"{text}\"{behind}");
        let plain = format!("[{text}{behind}");
        let decimal = Decimal::parse(&text).ok();
        let number = text.parse::<serde_json::Number>();
        let number = number.is_ok() || number.is_err_and(|error| error.to_string().contains("out of range"));
        let whole = number.then_some(text.as_str());
        for list in [&quoted, &plain] {
            let mut scanner = Scanner::new(list.as_bytes());
            let mut array = scanner.root().array().unwrap();
            let read = array.element().and_then(Value::decimal);
            if list == &quoted || !behind.starts_with('.') {
                prop_assert_eq!(read.as_ref().ok(), decimal.as_ref(), "{}", list);
            }
            let next = array.next().is_ok_and(|next| next.is_some());
            prop_assert_eq!(next, behind.starts_with(',') && (list == &quoted || whole.is_some() || decimal.is_some()), "{}", list);
        }
        if !behind.starts_with('.') {
            let mut scanner = Scanner::new(plain.as_bytes());
            prop_assert_eq!(scanner.root().array().unwrap().element().and_then(Value::u64).ok(), whole.and_then(|text| text.parse().ok()));
            let mut scanner = Scanner::new(plain.as_bytes());
            prop_assert_eq!(scanner.root().array().unwrap().element().and_then(Value::i64).ok(), whole.and_then(|text| text.parse().ok()));
        }
    }
}

#[test]
fn quotes_what_serde_json_reads_back() {
    for text in ["BTC/USD", "a\"b\\c", "\u{0}\n\u{1f}\u{7f}é𝄞"] {
        assert_eq!(serde_json::from_str::<String>(&tapedeck_sdk::json::quote(text)).unwrap(), text);
    }
}
