//! Random JSON texts: well-formed ones in odd spellings, and what mutation makes of them.

use proptest::prelude::*;

/// A well-formed text.
pub(crate) fn document() -> impl Strategy<Value = String> {
    let leaf =
        prop_oneof![Just("null".to_owned()), Just("true".to_owned()), Just("false".to_owned()), number(), string(),];
    leaf.prop_recursive(6, 60, 6, |inner| {
        prop_oneof![
            (prop::collection::vec((inner.clone(), space()), 0..6), space()).prop_map(|(elements, space)| {
                let elements: Vec<String> =
                    elements.into_iter().map(|(value, space)| format!("{space}{value}{space}")).collect();
                format!("[{space}{}]", elements.join(","))
            }),
            (prop::collection::vec((string(), inner, space()), 0..6), space()).prop_map(|(members, space)| {
                let members: Vec<String> = members
                    .into_iter()
                    .map(|(key, value, space)| format!("{space}{key}{space}:{space}{value}{space}"))
                    .collect();
                format!("{{{space}{}}}", members.join(","))
            }),
        ]
    })
    .prop_flat_map(|text| space().prop_map(move |space| format!("{space}{text}{space}")))
}

/// A text of which bytes were replaced, inserted, removed, or cut off; rarely still well-formed.
pub(crate) fn mutated() -> impl Strategy<Value = Vec<u8>> {
    let mutation = (any::<prop::sample::Index>(), 0..4u8, byte());
    (document(), prop::collection::vec(mutation, 1..4)).prop_map(|(text, mutations)| {
        let mut bytes = text.into_bytes();
        for (place, how, byte) in mutations {
            let at = place.index(bytes.len() + 1);
            match how {
                0 => bytes.insert(at, byte),
                1 if at < bytes.len() => bytes[at] = byte,
                2 if at < bytes.len() => drop(bytes.remove(at)),
                _ => bytes.truncate(at),
            }
        }
        bytes
    })
}

/// Bytes that matter to JSON, more often than others.
pub(crate) fn byte() -> impl Strategy<Value = u8> {
    prop_oneof![
        prop::sample::select(b"{}[]\",:\\ \n\t\r0123456789-+.eEutrfalsn/\0\x1f\x7f\x80\xc3\xed\xff".to_vec()),
        any::<u8>()
    ]
}

fn space() -> impl Strategy<Value = String> {
    prop_oneof![4 => Just(String::new()), 1 => "[ \n\t\r]{0,3}"]
}

fn number() -> impl Strategy<Value = String> {
    "-?(0|[1-9][0-9]{0,20})(\\.[0-9]{1,20})?([eE][+-]?[0-9]{1,3})?"
}

/// A string: long and short, with escapes, pairs of surrogates and characters of all lengths, so that stops fall on every
/// place of the eight bytes that are read at a time.
fn string() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        6 => "[ !#-\\[\\]-~]{0,20}",
        1 => "[é€𝄞\u{7f}\u{80}\u{2028}]{1,3}",
        1 => prop::sample::select(vec![r#"\""#, r"\\", r"\/", r"\b", r"\f", r"\n", r"\r", r"\t", r"\u0000", r"\u00e9", r"\uD834\udd1e"])
            .prop_map(str::to_owned),
    ];
    prop::collection::vec(piece, 0..4).prop_map(|pieces| format!("\"{}\"", pieces.concat()))
}
