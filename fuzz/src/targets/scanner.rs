//! The SDK's JSON scanner: the values that `serde_json` reads, or an error where that has one.

use serde_json::Value as Tree;
use tapedeck_sdk::json::{Error, Kind, Scanner, Value};

pub(super) fn run(bytes: &[u8]) {
    let scanned = scan(bytes);
    match serde_json::from_slice::<Tree>(bytes) {
        Ok(tree) => assert_eq!(scanned.as_ref(), Ok(&tree)),
        // A number is text here, however large.
        Err(error) if error.to_string().starts_with("number out of range") => return,
        Err(error) => assert!(scanned.is_err(), "serde_json says {error}"),
    }
    assert_eq!(skip(bytes).is_ok(), scanned.is_ok(), "skipping differs from reading");
}

fn scan(text: &[u8]) -> Result<Tree, Error> {
    let mut scanner = Scanner::new(text);
    let tree = tree(scanner.root())?;
    scanner.finish()?;
    Ok(tree)
}

/// Reads nothing: what is skipped must be checked as what is read.
fn skip(text: &[u8]) -> Result<(), Error> {
    let mut scanner = Scanner::new(text);
    scanner.root().skip()?;
    scanner.finish()
}

fn tree(mut value: Value<'_, '_>) -> Result<Tree, Error> {
    Ok(match value.kind()? {
        Kind::Null => value.null().map(|()| Tree::Null)?,
        Kind::Bool => Tree::Bool(value.bool()?),
        Kind::String => Tree::String(value.str()?.into_owned()),
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
