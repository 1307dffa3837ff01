//! Text that must not show in logs or error messages.

use std::fmt;

use toml::de::DeTable;

/// A secret. It prints as `***`; only [`Secret::expose`] gives the text.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Wraps a text.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text of a file, without the line's end.
    ///
    /// # Errors
    /// The file cannot be read.
    pub(super) fn from_file(file: &str) -> Result<Self, String> {
        let text = std::fs::read_to_string(file)
            .map_err(|error| format!("cannot read the file \"{}\": {error}", file.escape_debug()))?;
        Ok(Self(text.trim_end_matches(['\r', '\n']).to_owned()))
    }

    /// The value of an environment variable.
    ///
    /// # Errors
    /// It is not set, or not UTF-8.
    pub(super) fn from_env(variable: &str) -> Result<Self, String> {
        let shown = variable.escape_debug();
        match std::env::var(variable) {
            Ok(text) => Ok(Self(text)),
            Err(std::env::VarError::NotPresent) => {
                Err(format!("the environment variable {shown} is not set; set it where tapedeck is started"))
            }
            Err(std::env::VarError::NotUnicode(_)) => Err(format!("the environment variable {shown} is not UTF-8")),
        }
    }

    /// The text at the place that a table names, `{ file = "…" }` or `{ env = "…" }`.
    ///
    /// # Errors
    /// The table is neither, or there is no text there.
    pub(super) fn from_elsewhere(table: &DeTable<'_>) -> Result<Self, String> {
        let only = table.iter().next().filter(|_| table.len() == 1);
        let entry = only.and_then(|(key, value)| Some((key.get_ref().as_ref(), value.get_ref().as_str()?)));
        match entry {
            Some(("file", file)) => Self::from_file(file),
            Some(("env", variable)) => Self::from_env(variable),
            _ => Err("expected { file = \"…\" } or { env = \"…\" }, or the value itself".to_owned()),
        }
    }

    /// The text, for the one call that needs it.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("***")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_does_not_print() {
        let secret = Secret::new("hunter2");
        assert_eq!(format!("{secret:?} {:?}", Some(&secret)), "*** Some(***)");
        assert_eq!(secret.expose(), "hunter2");
    }

    #[test]
    fn a_secret_comes_from_a_file_without_its_line_end() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("password");
        std::fs::write(&file, " hunter2 \r\n").unwrap();
        assert_eq!(Secret::from_file(file.to_str().unwrap()), Ok(Secret::new(" hunter2 ")));
        let error = Secret::from_file("no/such/file").unwrap_err();
        assert!(error.starts_with("cannot read the file \"no/such/file\": "), "{error}");
    }

    #[test]
    fn a_secret_comes_from_the_environment() {
        assert_eq!(Secret::from_env("PATH").map(|secret| secret.expose().is_empty()), Ok(false));
        let error = Secret::from_env("TAPEDECK_NO_SUCH_VARIABLE").unwrap_err();
        assert!(error.contains("is not set"), "{error}");
    }
}
