//! The ClickHouse objects: made, migrated and looked after from the statements in `sql/`.
//!
//! [`apply`] brings a database to what the files and the settings say, [`plan`] says what that would change, and
//! [`status`] what is there. Each may be run at any time and any number of times.

mod error;
mod report;
mod settings;

pub use error::SchemaError;
pub use report::{Action, Change, FileStatus, Report, Status};
pub use settings::SchemaSettings;
