//! A table of a configuration: typed values out of it, and a sentence for each that is wrong.
//!
//! A getter notes its key as known, so that what a section asks for is what it knows: whatever is left is reported.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::RangeInclusive;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::document::{Document, Stray, path};
use super::nearest::nearest;
use super::problem::Place;

/// A value and its place.
#[derive(Clone, Debug)]
pub(super) struct Found<T> {
    /// The value.
    pub(super) value: T,
    /// Where it is written.
    pub(super) place: Place,
}

/// A table that is read. One that is not in the file has a place and no entries, so that defaults come the same way.
pub(super) struct Section<'d, 't> {
    document: &'d Document<'t>,
    /// What it is called in messages, for example `feed[2]`.
    name: String,
    /// What sections like it are called, for example `feed`.
    kind: &'static str,
    /// Where it begins.
    pub(super) place: Place,
    /// Whether it is in the file.
    pub(super) there: bool,
    entries: BTreeMap<&'d str, Entry<'d, 't>>,
    asked: BTreeSet<&'static str>,
}

struct Entry<'d, 't> {
    key: Place,
    place: Place,
    value: &'d DeValue<'t>,
}

impl<'d, 't> Section<'d, 't> {
    /// A table under a name.
    pub(super) fn of(
        document: &'d Document<'t>,
        name: String,
        kind: &'static str,
        place: Place,
        table: Option<&'d DeTable<'t>>,
    ) -> Self {
        let entry = |(key, value): (&'d Spanned<_>, &'d Spanned<DeValue<'t>>)| {
            let key: &'d Spanned<std::borrow::Cow<'t, str>> = key;
            let places = (document.place(key.span().start), document.place(value.span().start));
            (key.get_ref().as_ref(), Entry { key: places.0, place: places.1, value: value.get_ref() })
        };
        let entries = table.into_iter().flatten().map(entry).collect();
        Self { document, name, kind, place, there: table.is_some(), entries, asked: BTreeSet::new() }
    }

    /// The document that it is of.
    pub(super) fn document(&self) -> &'d Document<'t> {
        self.document
    }

    /// Reports what is wrong with the value of a key of this section.
    pub(super) fn report(&self, place: &Place, key: &str, message: &str) {
        self.document.report(place, format!("`{}`: {message}", path(&self.name, key)));
    }

    /// Where a key's value is, if the file has it; else where the section is.
    pub(super) fn place_of(&self, key: &str) -> Place {
        self.entries.get(key).map_or_else(|| self.place.clone(), |entry| entry.place.clone())
    }

    /// The value of a key, of whatever type.
    pub(super) fn any(&mut self, key: &'static str) -> Option<Found<&'d DeValue<'t>>> {
        self.asked.insert(key);
        self.document.know(self.kind, key);
        let entry = self.entries.get(key)?;
        Some(Found { value: entry.value, place: entry.place.clone() })
    }

    /// A text. `example` is one as it may stand in the file, with its quotes.
    pub(super) fn text(&mut self, key: &'static str, example: &str) -> Option<Found<&'d str>> {
        let found = self.any(key)?;
        match found.value {
            DeValue::String(text) if text.trim().is_empty() => {
                self.report(&found.place, key, &format!("is empty; expected a text, for example {key} = {example}"));
                None
            }
            DeValue::String(text) => Some(Found { value: text, place: found.place }),
            other => {
                self.mistyped(&found.place, key, "a text in quotes", example, other);
                None
            }
        }
    }

    /// A whole number within a range; the default if it is not there or wrong.
    pub(super) fn number(&mut self, key: &'static str, default: u32, range: RangeInclusive<u32>) -> u32 {
        self.optional_number(key, default, range).unwrap_or(default)
    }

    /// A whole number within a range, if it is there and right. `example` is one for messages.
    pub(super) fn optional_number(
        &mut self,
        key: &'static str,
        example: u32,
        range: RangeInclusive<u32>,
    ) -> Option<u32> {
        let found = self.any(key)?;
        let (low, high) = range.clone().into_inner();
        let expected = format!("a whole number from {low} to {high}");
        let DeValue::Integer(integer) = found.value else {
            self.mistyped(&found.place, key, &expected, &example.to_string(), found.value);
            return None;
        };
        let number = i128::from_str_radix(integer.as_str(), integer.radix()).ok();
        let number = number.and_then(|number| u32::try_from(number).ok()).filter(|number| range.contains(number));
        if number.is_none() {
            let message = format!("{integer} is not {expected}, for example {key} = {example}");
            self.report(&found.place, key, &message);
        }
        number
    }

    /// `true` or `false`; false if it is not there or wrong.
    pub(super) fn flag(&mut self, key: &'static str) -> bool {
        self.flag_or(key, false)
    }

    /// `true` or `false`; the default if it is not there or wrong.
    pub(super) fn flag_or(&mut self, key: &'static str, default: bool) -> bool {
        match self.any(key) {
            None => default,
            Some(Found { value: DeValue::Boolean(flag), .. }) => *flag,
            Some(found) => {
                self.mistyped(&found.place, key, "true or false, without quotes", "true", found.value);
                default
            }
        }
    }

    /// One of some words, each standing for a value; the first if it is not there or wrong.
    pub(super) fn choice<T: Copy>(&mut self, key: &'static str, choices: &[(&'static str, T)]) -> Option<T> {
        let (first, _) = choices.first()?;
        let found = self.text(key, &format!("\"{first}\""))?;
        let chosen = choices.iter().find(|(word, _)| *word == found.value).map(|(_, value)| *value);
        if chosen.is_none() {
            let words = choices.iter().map(|(word, _)| *word);
            let quoted: Vec<String> = words.clone().map(|word| format!("\"{word}\"")).collect();
            let near =
                nearest(found.value, words).map(|near| format!("; did you mean \"{near}\"?")).unwrap_or_default();
            let message = format!("\"{}\" is none of {}{near}", found.value.escape_debug(), quoted.join(", "));
            self.report(&found.place, key, &message);
        }
        chosen
    }

    /// A table in this one.
    pub(super) fn section(&mut self, key: &'static str) -> Section<'d, 't> {
        let found = self.any(key);
        let place = found.as_ref().map_or_else(|| self.place.clone(), |found| found.place.clone());
        let table = match found.as_ref().map(|found| found.value) {
            None => None,
            Some(DeValue::Table(table)) => Some(table),
            Some(DeValue::Array(array)) if array.iter().any(|element| element.get_ref().is_table()) => {
                self.report(
                    &place,
                    key,
                    &format!("there is one such section; write [{key}] with single brackets, once"),
                );
                None
            }
            Some(other) => {
                self.mistyped(&place, key, "a section", &format!("a line [{key}] with its keys below"), other);
                None
            }
        };
        Section::of(self.document, path(&self.name, key), key, place, table)
    }

    /// The tables of an array of tables, `[[key]]`; none if it is not there or wrong.
    pub(super) fn sections(&mut self, key: &'static str) -> Vec<Section<'d, 't>> {
        let Some(found) = self.any(key) else { return Vec::new() };
        let DeValue::Array(array) = found.value else {
            let message = format!("there may be many such sections; write [[{key}]] with double brackets");
            self.report(&found.place, key, &message);
            return Vec::new();
        };
        let mut sections = Vec::new();
        for (index, element) in array.iter().enumerate() {
            let name = format!("{}[{}]", path(&self.name, key), index + 1);
            let place = self.document.place(element.span().start);
            match element.get_ref() {
                DeValue::Table(table) => sections.push(Section::of(self.document, name, key, place, Some(table))),
                other => self.mistyped(&place, key, "sections", &format!("a line [[{key}]]"), other),
            }
        }
        sections
    }

    /// The keys of a section that names its own keys, with the place of each key and value. All count as asked for.
    pub(super) fn free_keys(&mut self) -> Vec<(Found<&'d str>, Found<&'d DeValue<'t>>)> {
        let entries = std::mem::take(&mut self.entries);
        let pair = |(key, entry): (&'d str, Entry<'d, 't>)| {
            (Found { value: key, place: entry.key }, Found { value: entry.value, place: entry.place })
        };
        entries.into_iter().map(pair).collect()
    }

    /// Refuses a key for a reason of its own, if the file has it.
    pub(super) fn refuse(&mut self, key: &str, message: &str) {
        if let Some(entry) = self.entries.remove(key) {
            self.report(&entry.key, key, message);
        }
    }

    /// Reports whatever nobody asked for.
    pub(super) fn finish(self) {
        for (key, entry) in self.entries {
            if !self.asked.contains(key) {
                let (section, key) = (self.name.clone(), key.to_owned());
                self.document.stray(Stray { section, kind: self.kind, key, place: entry.key });
            }
        }
    }

    /// Reports a value of the wrong type.
    pub(super) fn mistyped(&self, place: &Place, key: &str, expected: &str, example: &str, value: &DeValue<'_>) {
        let assignment = if example.starts_with("a line ") { example.to_owned() } else { format!("{key} = {example}") };
        let message = format!("expected {expected}, for example {assignment}, but this is {}", describe(value));
        self.report(place, key, &message);
    }
}

/// A value in words.
pub(super) fn describe(value: &DeValue<'_>) -> String {
    match value {
        DeValue::String(text) if text.chars().count() > 40 => "a long text".to_owned(),
        DeValue::String(text) => format!("the text \"{}\"", text.escape_debug()),
        DeValue::Integer(number) => format!("the number {number}"),
        DeValue::Float(number) => format!("the number {number}"),
        DeValue::Boolean(flag) => format!("{flag}"),
        DeValue::Datetime(time) => format!("the time {time}"),
        DeValue::Array(_) => "a list".to_owned(),
        DeValue::Table(_) => "a table".to_owned(),
    }
}
