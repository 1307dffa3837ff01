//! Telling what differs from what only moves.
//!
//! Silver gets rows all the time, and what is made of it follows a second or more behind. A bucket says itself how far it
//! is: its version is the sum of the marks that it has seen. Where the version is below the marks it is behind, and is looked
//! at again; where it has seen all marks and holds something else all the same, in two looks, it differs.

use std::collections::HashMap;
use std::time::Duration;

use clickhouse::Row;
use serde::Deserialize;
use tokio::time::{Instant, sleep};

use super::days::Day;
use super::warehouse::{AuditError, Warehouse};

/// Pause between two looks.
const PAUSE: Duration = Duration::from_secs(3);
/// How long what is behind may take to see the marks of the first look. Longer than `touch_unfinished` needs.
const PATIENCE: Duration = Duration::from_secs(60);
/// The most differences of a day that are looked into.
const MOST: u32 = 10_000;

/// A bucket that is not what it should be.
#[derive(Clone, Debug, PartialEq, Eq, Row, Deserialize)]
pub(super) struct Bucket {
    /// Its length in seconds.
    pub(super) step: u32,
    pub(super) exchange: String,
    pub(super) market: String,
    /// Its first second.
    pub(super) start: u32,
    /// What it should hold, by silver; empty for nothing.
    pub(super) expected: String,
    /// What it holds; empty for nothing.
    pub(super) found: String,
    /// Marks of its minutes.
    pub(super) marks: u64,
    /// Marks that it has seen.
    pub(super) version: u64,
}

type Key = (u32, String, String, u32);

impl Bucket {
    fn key(&self) -> Key {
        (self.step, self.exchange.clone(), self.market.clone(), self.start)
    }
}

/// A query for the buckets of a day that differ, with the columns of [`Bucket`].
pub(super) struct Comparison {
    pub(super) sql: String,
}

/// What came of looking until nothing moved any more.
pub(super) struct Settled {
    /// The buckets that differ.
    pub(super) differing: Vec<Bucket>,
    /// Whether the first look was not enough.
    pub(super) waited: bool,
}

/// The buckets that differ though nothing moves any more, and those that do not catch up.
pub(super) async fn settled(warehouse: &Warehouse, comparison: &Comparison, day: Day) -> Result<Settled, AuditError> {
    let sql = format!("{} LIMIT {MOST}", comparison.sql);
    let first = look(warehouse, &sql, day).await?;
    let deadline = Instant::now() + PATIENCE;
    let mut before = first.clone();
    loop {
        if before.is_empty() {
            return Ok(Settled { differing: Vec::new(), waited: !first.is_empty() });
        }
        sleep(PAUSE).await;
        let now = look(warehouse, &sql, day).await?;
        let mut differing = Vec::new();
        let mut undecided = false;
        for (key, bucket) in &now {
            // What was not there in the first look came while we looked, and is audited the next time.
            let Some(wanted) = first.get(key).map(|first| first.marks) else { continue };
            let has_seen_all = bucket.version >= bucket.marks;
            let is_same = before.get(key) == Some(bucket);
            match (has_seen_all, is_same) {
                (true, true) => differing.push(bucket.clone()),
                (true, false) => undecided = true,
                // It follows, as far as it can while trades keep coming.
                (false, _) if bucket.version >= wanted => {}
                (false, _) if Instant::now() >= deadline => differing.push(bucket.clone()),
                (false, _) => undecided = true,
            }
        }
        if !undecided || Instant::now() >= deadline + PAUSE {
            differing.sort_by_key(Bucket::key);
            return Ok(Settled { differing, waited: true });
        }
        before = now;
    }
}

async fn look(warehouse: &Warehouse, sql: &str, day: Day) -> Result<HashMap<Key, Bucket>, AuditError> {
    let buckets: Vec<Bucket> = warehouse.of_day(sql, day).await?;
    Ok(buckets.into_iter().map(|bucket| (bucket.key(), bucket)).collect())
}
