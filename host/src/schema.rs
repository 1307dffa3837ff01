//! The ClickHouse objects: made, migrated and looked after from the statements in `sql/`.
//!
//! [`apply`] brings a database to what the files and the settings say, [`plan`] says what that would change, and
//! [`status`] what is there. Each may be run at any time and any number of times.

mod consumers;
mod error;
mod files;
mod history;
mod lock;
mod report;
mod server;
mod settings;
mod statement;
mod steps;

pub use consumers::Consumers;
pub use error::SchemaError;
pub use report::{Action, Change, FileStatus, Report, Status};
pub use settings::SchemaSettings;

pub(crate) use error::server_code;
use error::server_sentence;
use history::History;
use lock::Lock;
use server::Server;
use steps::{Step, steps};

/// Brings the database up to date, one applier at a time, and says what was changed.
///
/// A run that is cut short is completed by the next one.
///
/// # Errors
/// [`SchemaError`] says what is in the way; what was done until then stays done.
pub async fn apply(settings: &SchemaSettings) -> Result<Report, SchemaError> {
    settings.validate()?;
    let server = Server::connect(settings).await?;
    let by = format!("{} with tapedeck {}, process {}", settings.user, env!("CARGO_PKG_VERSION"), std::process::id());
    let lock = Lock::take(&server, &settings.database, &unique_holder(&by)).await?;
    history::prepare(&server, &settings.database).await?;
    let history = History::read(&server, &settings.database).await?;
    let steps = steps(settings, &history)?;

    for step in steps.iter().rev().filter(|step| step.drop_first) {
        lock.check().await?;
        let sql = format!("DROP TABLE IF EXISTS {}.{} SYNC", settings.database, step.statement.object);
        run(&server, settings, step, &sql).await?;
    }
    for step in &steps {
        lock.check().await?;
        run(&server, settings, step, &step.statement.text).await?;
        history::record(&server, &settings.database, &step.statement, &by).await?;
    }
    Ok(report(settings, &server, &steps))
}

/// Says what [`apply`] would change, and changes nothing.
///
/// # Errors
/// [`SchemaError`], as `apply` would give it.
pub async fn plan(settings: &SchemaSettings) -> Result<Report, SchemaError> {
    settings.validate()?;
    let server = Server::connect(settings).await?;
    let history = History::read(&server, &settings.database).await?;
    let steps = steps(settings, &history)?;
    Ok(report(settings, &server, &steps))
}

/// Says what is there: each file, when it was applied, whether its object is there and current, and which refreshes fail.
///
/// # Errors
/// [`SchemaError`] when the server cannot be asked.
pub async fn status(settings: &SchemaSettings) -> Result<Status, SchemaError> {
    settings.validate()?;
    let server = Server::connect(settings).await?;
    let history = History::read(&server, &settings.database).await?;
    let files = statement::statements(settings)
        .iter()
        .map(|statement| {
            let applied = history.of(statement);
            FileStatus {
                file: statement.label(),
                object: statement.object.clone(),
                applied: applied.map(|applied| (applied.at.clone(), applied.by.clone())),
                present: history.has(&statement.object),
                current: applied.is_some_and(|applied| applied.statement == statement.text),
            }
        })
        .collect();
    let sql =
        "SELECT view, exception FROM system.view_refreshes WHERE database = {database:String} AND exception != ''";
    let failing: Vec<(String, String)> = server.rows(sql, &[("database", &settings.database)]).await?;
    let failing_refreshes = failing.into_iter().map(|(view, message)| (view, server_sentence(&message))).collect();
    Ok(Status { database: settings.database.clone(), server: server.version, files, failing_refreshes })
}

/// Counts the server's threads for consumers of Kafka, and the consumers.
///
/// # Errors
/// [`SchemaError`] when the server cannot be asked; [`SchemaError::Rights`] where the user may not read its settings.
pub async fn consumers(settings: &SchemaSettings) -> Result<Consumers, SchemaError> {
    settings.validate()?;
    Consumers::count(&Server::connect(settings).await?, settings).await
}

async fn run(server: &Server, settings: &SchemaSettings, step: &Step, sql: &str) -> Result<(), SchemaError> {
    server.run(sql).await.map_err(|error| match error {
        SchemaError::Client { source: clickhouse::error::Error::BadResponse(message), .. } => SchemaError::Statement {
            file: step.statement.label(),
            database: settings.database.clone(),
            message: server_sentence(&message),
        },
        other => other,
    })
}

fn report(settings: &SchemaSettings, server: &Server, steps: &[Step]) -> Report {
    Report {
        database: settings.database.clone(),
        server: server.version.clone(),
        changes: steps.iter().map(|step| step.change.clone()).collect(),
    }
}

/// A holder's name that no other applier has, not even one in the same process.
fn unique_holder(by: &str) -> String {
    format!("{by}, run {:08x}", fastrand::u32(..))
}
