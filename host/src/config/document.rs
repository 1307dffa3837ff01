//! The text of a configuration with the place of everything in it, and all that was found wrong with it.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use toml::Spanned;
use toml::de::{DeTable, Error};

use super::nearest::{listed, nearest};
use super::problem::{ConfigErrors, Place, Problem};
use crate::plugin::bounded_escaped;

/// The most bytes of a message, all of which are our own but for what it quotes.
const MAX_MESSAGE: usize = 4096;

/// A document that is read. Sections share it, so what they find goes through cells.
pub(super) struct Document<'t> {
    file: Arc<str>,
    text: &'t str,
    problems: RefCell<Vec<Problem>>,
    /// Keys that were asked for, by the name of the section's kind.
    known: RefCell<BTreeMap<&'static str, BTreeSet<&'static str>>>,
    strays: RefCell<Vec<Stray>>,
}

/// A key that nobody asked for.
pub(super) struct Stray {
    /// The section as the user sees it, for example `feed[2]`; empty for the top of the file.
    pub(super) section: String,
    /// The kind of the section, for example `feed`.
    pub(super) kind: &'static str,
    /// The key.
    pub(super) key: String,
    /// Where it is.
    pub(super) place: Place,
}

impl<'t> Document<'t> {
    /// Reads TOML; all of its syntax errors if it is none.
    pub(super) fn read(text: &'t str, file: &Path) -> Result<(Self, Spanned<DeTable<'t>>), ConfigErrors> {
        let document = Self {
            file: file.to_string_lossy().into(),
            text,
            problems: RefCell::default(),
            known: RefCell::default(),
            strays: RefCell::default(),
        };
        let (table, errors) = DeTable::parse_recoverable(text);
        for error in &errors {
            document.report_syntax(error);
        }
        if errors.is_empty() { Ok((document, table)) } else { Err(document.into_errors()) }
    }

    /// The place of a byte of the text.
    pub(super) fn place(&self, offset: usize) -> Place {
        // A span always starts at the edge of a character; a text that disagrees gets the place of its end.
        let before = self.text.get(..offset).unwrap_or(self.text);
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        let line = before.matches('\n').count() + 1;
        let column = before[line_start..].chars().count() + 1;
        Place { file: self.file.clone(), line: saturate(line), column: saturate(column) }
    }

    /// The file as a whole.
    pub(super) fn whole(&self) -> Place {
        Place { file: self.file.clone(), line: 0, column: 0 }
    }

    /// Notes something wrong. A message may quote the file, of which nothing is to act on a terminal.
    pub(super) fn report(&self, place: &Place, message: String) {
        let message = bounded_escaped(&message, MAX_MESSAGE);
        self.problems.borrow_mut().push(Problem { place: place.clone(), message });
    }

    /// Notes that sections of this kind have this key.
    pub(super) fn know(&self, kind: &'static str, key: &'static str) {
        self.known.borrow_mut().entry(kind).or_default().insert(key);
    }

    /// Notes a key that nobody asked for; judged when all sections have said what they know.
    pub(super) fn stray(&self, stray: Stray) {
        self.strays.borrow_mut().push(stray);
    }

    /// The keys that were asked for, by the kind of section.
    #[cfg(test)]
    pub(super) fn known(&self) -> BTreeMap<&'static str, BTreeSet<&'static str>> {
        self.known.borrow().clone()
    }

    /// All that was wrong, in the order of the lines; none if the document is good.
    pub(super) fn into_problems(self) -> Option<ConfigErrors> {
        for stray in self.strays.take() {
            self.report(&stray.place, self.explain(&stray));
        }
        if self.problems.borrow().is_empty() { None } else { Some(self.into_errors()) }
    }

    fn into_errors(self) -> ConfigErrors {
        let mut problems = self.problems.into_inner();
        problems.sort_by(|one, other| one.place.cmp(&other.place));
        problems.dedup();
        ConfigErrors { problems }
    }

    fn report_syntax(&self, error: &Error) {
        let place = error.span().map_or_else(|| self.whole(), |span| self.place(span.start));
        let mut problems = self.problems.borrow_mut();
        // What follows the first mistake of a line is mostly its echo.
        if !problems.iter().any(|problem| problem.place.line == place.line) {
            problems.push(Problem { place, message: format!("this is not TOML: {}", error.message()) });
        }
    }

    /// What an unknown key was probably meant to be: a key of its section, else one of another section.
    fn explain(&self, stray: &Stray) -> String {
        let known = self.known.borrow();
        let path = path(&stray.section, &stray.key);
        let nothing = BTreeSet::new();
        let of_section = known.get(stray.kind).unwrap_or(&nothing);
        if let Some(near) = nearest(&stray.key, of_section.iter().copied()) {
            return format!("`{path}`: there is no such key; did you mean `{near}`?");
        }
        let elsewhere = known.iter().find(|(_, keys)| keys.contains(stray.key.as_str()));
        if let Some((kind, _)) = elsewhere {
            let home = if kind.is_empty() { "the top of the file".to_owned() } else { format!("[{kind}]") };
            return format!("`{path}`: there is no such key here; `{}` belongs to {home}", stray.key);
        }
        format!("`{path}`: there is no such key; there are {}", listed(of_section.iter().copied()))
    }
}

/// The path of a key, as messages spell it.
pub(super) fn path(section: &str, key: &str) -> String {
    if section.is_empty() { key.to_owned() } else { format!("{section}.{key}") }
}

fn saturate(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}
