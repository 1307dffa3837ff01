//! What can go wrong with the ClickHouse objects, as sentences for the person who runs the command.

use clickhouse::error::Error as ClientError;

/// Why the schema could not be read or brought up to date.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SchemaError {
    /// A setting holds what may not become part of a statement.
    #[error("{name} = {value:?} is not allowed: use {allowed}")]
    Setting {
        /// Key in the configuration.
        name: &'static str,
        /// What it holds.
        value: String,
        /// What it may hold.
        allowed: &'static str,
    },
    /// Nothing answers at the address.
    #[error("no ClickHouse answers at {url}: start it, or correct `url` in [clickhouse]")]
    Unreachable {
        /// Address that was tried.
        url: String,
        /// What the client saw.
        #[source]
        source: ClientError,
    },
    /// The server knows the user not at all or by another password.
    #[error(
        "ClickHouse at {url} does not let user {user:?} in: correct `user`, `password_file` or `password_env` in [clickhouse]"
    )]
    Password {
        /// Address of the server.
        url: String,
        /// User that was refused.
        user: String,
    },
    /// The user may not do what is needed.
    #[error("user {user:?} lacks a right at {url}: {missing}. Grant it, or use another user in [clickhouse]")]
    Rights {
        /// Address of the server.
        url: String,
        /// User that lacks it.
        user: String,
        /// What the server says is missing.
        missing: String,
    },
    /// The server is older than what the statements need.
    #[error("ClickHouse at {url} is version {found}; {needed} or newer is needed: upgrade the server")]
    TooOld {
        /// Address of the server.
        url: String,
        /// Its version.
        found: String,
        /// Oldest version that will do.
        needed: String,
    },
    /// Another applier holds the lock.
    #[error(
        "another `tapedeck sql apply` is at work on database {database}: {holder}. Wait for it to end, then run this again"
    )]
    Locked {
        /// Database that is being changed.
        database: String,
        /// Who holds the lock and since when.
        holder: String,
    },
    /// The lock was lost before the work was done.
    #[error(
        "the lock on database {database} was lost (the server restarted, or the query that holds it was killed): run `tapedeck sql apply` again, it goes on where it stopped"
    )]
    LockLost {
        /// Database that was being changed.
        database: String,
    },
    /// A file that was applied before holds another text now.
    #[error(
        "{file} was applied to database {database} on {applied_at} by {by} and has been edited since: put the old text back, and make the change in a new file"
    )]
    Edited {
        /// File under `sql/`, with the exchange where it is a template.
        file: String,
        /// Database that it was applied to.
        database: String,
        /// When, UTC.
        applied_at: String,
        /// Who applied it.
        by: String,
    },
    /// The database has files applied that this program does not know.
    #[error("database {database} was set up by a newer tapedeck ({file} is unknown here): use that version")]
    Newer {
        /// Database in question.
        database: String,
        /// First file that is unknown.
        file: String,
    },
    /// A statement failed.
    #[error("{file} could not be applied to database {database}: {message}")]
    Statement {
        /// File under `sql/`, with the exchange where it is a template.
        file: String,
        /// Database that it was for.
        database: String,
        /// What the server said.
        message: String,
    },
    /// Anything else between us and the server.
    #[error("ClickHouse at {url} did not answer as expected")]
    Client {
        /// Address of the server.
        url: String,
        /// What the client saw.
        #[source]
        source: ClientError,
    },
}

impl SchemaError {
    pub(super) fn setting(name: &'static str, value: &str, allowed: &'static str) -> Self {
        Self::Setting { name, value: value.to_owned(), allowed }
    }

    /// Sorts what the client saw into the cases that have a remedy of their own.
    pub(crate) fn of_client(url: &str, user: &str, source: ClientError) -> Self {
        match &source {
            ClientError::Network(_) | ClientError::TimedOut => Self::Unreachable { url: url.to_owned(), source },
            ClientError::BadResponse(message) => match server_code(message) {
                // AUTHENTICATION_FAILED, UNKNOWN_USER, WRONG_PASSWORD, REQUIRED_PASSWORD
                Some(516 | 192 | 193 | 194) => Self::Password { url: url.to_owned(), user: user.to_owned() },
                // ACCESS_DENIED
                Some(497) => {
                    Self::Rights { url: url.to_owned(), user: user.to_owned(), missing: server_sentence(message) }
                }
                _ => Self::Client { url: url.to_owned(), source },
            },
            _ => Self::Client { url: url.to_owned(), source },
        }
    }
}

/// The number in `Code: 497. DB::Exception: …`.
pub(crate) fn server_code(message: &str) -> Option<u32> {
    let rest = message.split_once("Code: ")?.1;
    let digits = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
    rest.get(..digits)?.parse().ok()
}

/// What the server said, without its code in front and its name and version behind.
pub(super) fn server_sentence(message: &str) -> String {
    let body = message.split_once("DB::Exception: ").map_or(message, |(_, body)| body);
    let end = [" (version ", "(version "].iter().find_map(|mark| body.rfind(mark)).unwrap_or(body.len());
    body.get(..end).unwrap_or(body).trim().trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn server_messages_are_sorted_by_their_code() {
        let denied = "Code: 497. DB::Exception: bob: Not enough privileges. To execute this query, it's necessary to have the grant CREATE TABLE ON t.* (ACCESS_DENIED) (version 26.7.2.1)";
        assert_eq!(server_code(denied), Some(497));
        let error = SchemaError::of_client("http://h", "bob", ClientError::BadResponse(denied.to_owned()));
        let sentence = error.to_string();
        assert!(sentence.contains("lacks a right") && sentence.contains("CREATE TABLE ON t.*"), "{sentence}");
        assert!(!sentence.contains("version 26"), "{sentence}");
        let refused = "Code: 516. DB::Exception: default: Authentication failed: password is incorrect";
        let error = SchemaError::of_client("http://h", "bob", ClientError::BadResponse(refused.to_owned()));
        assert!(matches!(error, SchemaError::Password { .. }));
        assert_eq!(server_code("no code here"), None);
    }
}
