//! Making the objects: once, at the same time, cut short, by hand, and when files or servers are not what they should be.

use anyhow::{Result, ensure};
use tapedeck::schema::{Action, SchemaError, SchemaSettings, apply, plan, status};
use tapedeck_tests::exchange::runtime;

use super::Database;

fn refusal<T>(outcome: Result<T, SchemaError>) -> Result<String> {
    match outcome {
        Ok(_) => anyhow::bail!("it went well, and should not have"),
        Err(error) => Ok(error.to_string()),
    }
}

#[test]
fn a_plan_changes_nothing_and_applying_twice_changes_nothing_more() -> Result<()> {
    let database = Database::new("twice")?;
    let planned = runtime().block_on(plan(&database.settings))?;
    ensure!(planned.changes.iter().any(|change| change.action == Action::Create && change.object == "silver_trades"));
    ensure!(
        database.count("SELECT count() FROM system.databases WHERE name = '{db}'")? == 0,
        "a plan made the database"
    );

    let applied = database.apply()?;
    ensure!(applied == planned, "planned\n{planned}\napplied\n{applied}");
    ensure!(database.apply()?.is_current(), "a second run has something to do");
    let report = runtime().block_on(plan(&database.settings))?;
    ensure!(report.is_current() && report.to_string().contains("nothing to change"), "{report}");
    let status = runtime().block_on(status(&database.settings))?;
    ensure!(status.is_healthy() && status.problems().next().is_none(), "{status}");
    ensure!(status.files.len() == applied.changes.len());
    let rows = database.count("SELECT count() FROM {db}.schema_migrations")?;
    ensure!(rows == u64::try_from(applied.changes.len())?, "{rows} rows of history");
    Ok(())
}

#[test]
fn of_appliers_at_the_same_time_one_does_the_work() -> Result<()> {
    let database = Database::new("race")?;
    let runs: Vec<_> = (0..3)
        .map(|_| {
            let settings = database.settings.clone();
            runtime().spawn(async move { apply(&settings).await })
        })
        .collect();
    let mut busy = 0;
    for run in runs {
        let report = runtime().block_on(run)??;
        busy += usize::from(!report.is_current());
    }
    ensure!(busy == 1, "{busy} of three appliers did something");
    let repeated = database.count(
        "SELECT count() FROM (SELECT name, exchange FROM {db}.schema_migrations GROUP BY name, exchange HAVING count() > 1)",
    )?;
    ensure!(repeated == 0, "{repeated} files were applied twice");
    Ok(())
}

#[test]
fn a_run_that_is_cut_short_frees_the_lock_and_is_completed_by_the_next() -> Result<()> {
    let database = Database::new("cut")?;
    let settings = database.settings.clone();
    let run = runtime().spawn(async move { apply(&settings).await });
    tapedeck_tests::wait::until_true("some objects are there", super::PATIENCE, || {
        Ok(database.count("SELECT count() FROM system.tables WHERE database = '{db}'")? > 5)
    })?;
    run.abort();
    let outcome = runtime().block_on(run);
    ensure!(outcome.is_err(), "the run ended before it could be cut short");
    ensure!(!database.apply()?.is_current());
    ensure!(runtime().block_on(status(&database.settings))?.is_healthy());
    Ok(())
}

#[test]
fn what_was_lost_is_made_again() -> Result<()> {
    let database = Database::applied("lost")?;
    database.query("DROP VIEW {db}.find_pending SYNC")?;
    database.query("DROP VIEW {db}.judge_trades_north SYNC")?;
    let problems: Vec<String> = runtime().block_on(status(&database.settings))?.problems().collect();
    ensure!(problems.len() == 2 && problems.iter().all(|problem| problem.contains("is missing: run")), "{problems:?}");
    let report = database.apply()?;
    let actions: Vec<(Action, &str)> =
        report.changes.iter().map(|change| (change.action, change.object.as_str())).collect();
    ensure!(actions.contains(&(Action::Create, "find_pending")), "{report}");
    ensure!(actions.contains(&(Action::Create, "judge_trades_north")), "{report}");
    ensure!(actions.contains(&(Action::Recreate, "kafka_trades_north")), "the topic was open meanwhile:\n{report}");
    ensure!(!actions.iter().any(|(_, object)| *object == "silver_trades"), "{report}");
    ensure!(runtime().block_on(status(&database.settings))?.is_healthy());
    Ok(())
}

#[test]
fn an_edited_file_and_a_newer_database_are_refused() -> Result<()> {
    let database = Database::applied("edited")?;
    let forge = "INSERT INTO {db}.schema_migrations (name, exchange, version, checksum, statement, by) VALUES";
    database.query(&format!("{forge} ('silver/020_silver_trades.sql', '', 20, 'other', 'other', 'somebody')"))?;
    let message = refusal(database.apply())?;
    let expected = ["silver/020_silver_trades.sql", "by somebody", "has been edited since", "put the old text back"];
    ensure!(expected.iter().all(|part| message.contains(part)), "{message}");
    ensure!(refusal(runtime().block_on(plan(&database.settings)))? == message);

    let database = Database::applied("newer")?;
    database.query(&format!("{forge} ('gold/999_later.sql', '', 999, 'x', 'x', 'somebody')"))?;
    let message = refusal(database.apply())?;
    ensure!(message.contains("newer tapedeck") && message.contains("gold/999_later.sql"), "{message}");
    Ok(())
}

/// A database that an earlier version made gets today's views, and keeps its rows.
#[test]
fn what_a_retired_file_made_is_made_anew() -> Result<()> {
    let database = Database::applied("retired")?;
    database.query(
        "INSERT INTO {db}.gaps VALUES ('south', 'BTC/USD', 0, 1, 'missing', 0, 0, '2024-01-01 00:10:00', '2024-01-01 01:20:00', \
         'gone', '2024-01-01 01:20:00', '2024-01-01 01:20:00')",
    )?;
    database.query("DROP VIEW {db}.missing_times SYNC")?;
    for object in ["missing_ranges", "completeness"] {
        database.query(&format!("DROP VIEW {{db}}.{object} SYNC"))?;
        database.query(&format!("CREATE VIEW {{db}}.{object} AS SELECT 1 AS former"))?;
    }
    database.query(
        "ALTER TABLE {db}.schema_migrations DELETE WHERE name LIKE 'completeness/05%' SETTINGS mutations_sync = 2",
    )?;
    database.query(
        "INSERT INTO {db}.schema_migrations (name, exchange, version, checksum, statement, by) VALUES \
         ('completeness/050_missing_ranges.sql', '', 50, 'x', 'x', 'somebody'), ('completeness/051_completeness.sql', '', 51, 'y', 'y', 'somebody')",
    )?;
    let planned = runtime().block_on(plan(&database.settings))?;
    let actions: Vec<(Action, &str)> =
        planned.changes.iter().map(|change| (change.action, change.object.as_str())).collect();
    let expected =
        [(Action::Recreate, "missing_ranges"), (Action::Create, "missing_times"), (Action::Recreate, "completeness")];
    ensure!(actions == expected, "{planned}");
    ensure!(planned.to_string().contains("completeness/051_completeness.sql, which is retired"), "{planned}");
    ensure!(database.apply()? == planned && database.apply()?.is_current());
    ensure!(runtime().block_on(status(&database.settings))?.is_healthy());
    let states = database.query("SELECT hour, state FROM {db}.completeness ORDER BY hour")?;
    ensure!(states == "2024-01-01 00:00:00\tmissing\n2024-01-01 01:00:00\tmissing\n", "{states}");
    Ok(())
}

#[test]
fn a_server_that_cannot_be_used_is_named_with_the_remedy() -> Result<()> {
    let database = Database::new("refused")?;
    let with = |change: fn(&mut SchemaSettings)| {
        let mut settings = database.settings.clone();
        change(&mut settings);
        refusal(runtime().block_on(apply(&settings)))
    };
    let message = with(|settings| settings.url = "http://127.0.0.1:1".into())?;
    ensure!(message.starts_with("no ClickHouse answers at http://127.0.0.1:1: start it"), "{message}");
    let message = with(|settings| settings.password = "wrong".into())?;
    ensure!(message.contains("does not let user \"default\" in"), "{message}");
    let message = with(|settings| settings.user = "nobody".into())?;
    ensure!(message.contains("does not let user \"nobody\" in"), "{message}");
    let message = with(|settings| settings.exchanges = vec!["x`; DROP".into()])?;
    ensure!(message.contains("is not allowed: use lower-case letters"), "{message}");
    Ok(())
}
