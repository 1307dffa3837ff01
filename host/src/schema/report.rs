//! What `plan`, `apply` and `status` found or did, and how it is told.

use std::fmt;

/// What happens to one object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// It is not there and is made.
    Create,
    /// It stays and one of its properties changes.
    Alter,
    /// It holds no data and is made anew with other settings.
    Recreate,
    /// It is there as its file says; only the record of that was missing.
    Record,
}

/// One change, made or to be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// What happens.
    pub action: Action,
    /// Object without its database, such as `silver_trades`.
    pub object: String,
    /// File under `sql/` that says so, with `@exchange` where it is a template.
    pub file: String,
    /// Why, where it is more than "it was not there": the lines that differ.
    pub because: Option<String>,
}

impl fmt::Display for Change {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let action = match self.action {
            Action::Create => "create",
            Action::Alter => "alter",
            Action::Recreate => "recreate",
            Action::Record => "record",
        };
        write!(formatter, "{action:<9} {:<32} ({})", self.object, self.file)?;
        if let Some(because) = &self.because {
            for line in because.lines() {
                write!(formatter, "\n            {line}")?;
            }
        }
        Ok(())
    }
}

/// What would be changed (`plan`) or was changed (`apply`), in order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// Database in question.
    pub database: String,
    /// Version of the server.
    pub server: String,
    /// The changes; empty when everything was as it should be.
    pub changes: Vec<Change>,
}

impl Report {
    /// Whether there is nothing to change.
    #[must_use]
    pub fn is_current(&self) -> bool {
        self.changes.is_empty()
    }
}

impl fmt::Display for Report {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.changes.is_empty() {
            return write!(formatter, "database {} on ClickHouse {}: nothing to change", self.database, self.server);
        }
        writeln!(
            formatter,
            "database {} on ClickHouse {}: {} changes",
            self.database,
            self.server,
            self.changes.len()
        )?;
        let lines: Vec<String> = self.changes.iter().map(|change| format!("  {change}")).collect();
        formatter.write_str(&lines.join("\n"))
    }
}

/// One file and what is known of it in the database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileStatus {
    /// File under `sql/`, with `@exchange` where it is a template.
    pub file: String,
    /// Object that it makes or changes.
    pub object: String,
    /// When it was applied last, UTC, and by whom; `None` when it never was.
    pub applied: Option<(String, String)>,
    /// Whether the object is there now.
    pub present: bool,
    /// Whether it was applied with today's settings.
    pub current: bool,
}

/// Every file, in the order of application.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Status {
    /// Database in question.
    pub database: String,
    /// Version of the server.
    pub server: String,
    /// One entry a file and exchange.
    pub files: Vec<FileStatus>,
    /// Refreshes whose last attempt failed: name and what the server said.
    pub failing_refreshes: Vec<(String, String)>,
}

impl Status {
    /// Whether every object is there, made with today's settings, and every refresh works.
    #[must_use]
    pub fn is_healthy(&self) -> bool {
        self.failing_refreshes.is_empty() && self.files.iter().all(|file| file.present && file.current)
    }

    /// Objects that are missing or out of date, for a check that wants one sentence each.
    pub fn problems(&self) -> impl Iterator<Item = String> + '_ {
        let files = self.files.iter().filter(|file| !file.present || !file.current).map(|file| {
            let what = if file.present { "was made with other settings" } else { "is missing" };
            format!("{}.{} {what}: run `tapedeck sql apply`", self.database, file.object)
        });
        let refreshes = self
            .failing_refreshes
            .iter()
            .map(|(name, message)| format!("{}.{name} cannot refresh: {message}", self.database));
        files.chain(refreshes)
    }
}

impl fmt::Display for Status {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(formatter, "database {} on ClickHouse {}", self.database, self.server)?;
        let mut lines = Vec::new();
        for file in &self.files {
            let state = match (file.present, file.current) {
                (false, _) => "missing",
                (true, false) => "outdated",
                (true, true) => "ok",
            };
            let applied = file
                .applied
                .as_ref()
                .map_or_else(|| "never applied".to_owned(), |(at, by)| format!("applied {at} by {by}"));
            lines.push(format!("  {state:<9} {:<32} {:<44} {applied}", file.object, file.file));
        }
        for (name, message) in &self.failing_refreshes {
            lines.push(format!("  failing   {name:<32} {message}"));
        }
        formatter.write_str(&lines.join("\n"))
    }
}
