//! From what is there to what should be: which statements run, which objects are taken down before.

use std::collections::BTreeSet;

use super::error::SchemaError;
use super::history::{Applied, History};
use super::report::{Action, Change};
use super::settings::SchemaSettings;
use super::statement::{Kind, Statement, statements};

/// One statement that has to run.
#[derive(Debug)]
pub(super) struct Step {
    pub(super) statement: Statement,
    pub(super) change: Change,
    /// Whether the object is dropped before any statement runs.
    pub(super) drop_first: bool,
}

/// Compares files and settings with a database.
///
/// When any passage of an exchange is missing or changes, all passages of that exchange are taken down, topic first, and
/// built again from the end: no record is read while a part behind it is missing. Kafka keeps the position meanwhile.
pub(super) fn steps(settings: &SchemaSettings, history: &History) -> Result<Vec<Step>, SchemaError> {
    let all = statements(settings);
    refuse_edited(settings, history, &all)?;
    if let Some(file) = history.unknown_file() {
        return Err(SchemaError::Newer { database: settings.database.clone(), file });
    }
    let rebuilt: BTreeSet<String> = all
        .iter()
        .filter(|one| one.kind == Kind::Passage && !one.exchange.is_empty() && wanted(one, history).is_some())
        .map(|one| one.exchange.clone())
        .collect();
    let mut created = BTreeSet::new();
    let mut steps = Vec::new();
    for statement in all {
        let is_rebuilt = statement.kind == Kind::Passage && rebuilt.contains(&statement.exchange);
        let change = match wanted(&statement, history) {
            None if is_rebuilt => {
                Some(change(&statement, Action::Recreate, Some("another part of its chain changes".to_owned())))
            }
            None if statement.kind == Kind::Property && created.contains(&statement.object) => {
                Some(change(&statement, Action::Alter, None))
            }
            found => found,
        };
        let Some(change) = change else { continue };
        if change.action == Action::Create {
            created.insert(statement.object.clone());
        }
        let drop_first = history.has(&statement.object) && matches!(statement.kind, Kind::Passage | Kind::View);
        steps.push(Step { statement, change, drop_first });
    }
    Ok(steps)
}

/// What has to happen to one statement's object, taken by itself.
fn wanted(statement: &Statement, history: &History) -> Option<Change> {
    let known = history.of(statement);
    let is_there = history.has(&statement.object);
    if statement.kind == Kind::Property {
        return match known {
            Some(applied) if applied.statement == statement.text => None,
            Some(applied) => {
                Some(change(statement, Action::Alter, Some(difference(&applied.statement, &statement.text))))
            }
            None => Some(change(statement, Action::Alter, None)),
        };
    }
    match known {
        _ if !is_there => Some(change(statement, Action::Create, known.map(gone))),
        Some(applied) if applied.statement == statement.text => None,
        Some(applied) => {
            Some(change(statement, Action::Recreate, Some(difference(&applied.statement, &statement.text))))
        }
        None if statement.kind == Kind::Table => Some(change(statement, Action::Record, None)),
        None => {
            let because = match history.former(statement) {
                Some(file) => format!("it was made by {file}, which is retired"),
                None => "it is there, but not from here".to_owned(),
            };
            Some(change(statement, Action::Recreate, Some(because)))
        }
    }
}

fn refuse_edited(settings: &SchemaSettings, history: &History, all: &[Statement]) -> Result<(), SchemaError> {
    for statement in all {
        if let Some(applied) = history.of(statement)
            && applied.checksum != statement.checksum
        {
            return Err(SchemaError::Edited {
                file: statement.label(),
                database: settings.database.clone(),
                applied_at: applied.at.clone(),
                by: applied.by.clone(),
            });
        }
    }
    Ok(())
}

fn change(statement: &Statement, action: Action, because: Option<String>) -> Change {
    Change { action, object: statement.object.clone(), file: statement.label(), because }
}

fn gone(applied: &Applied) -> String {
    format!("it was made on {} and is gone", applied.at)
}

/// The lines that differ, old and new. Both come from one file, so that their lines stand in the same places.
fn difference(old: &str, new: &str) -> String {
    let lines = old.lines().zip(new.lines()).filter(|(old, new)| old != new);
    lines.map(|(old, new)| format!("- {}\n+ {}", old.trim(), new.trim())).collect::<Vec<_>>().join("\n")
}
