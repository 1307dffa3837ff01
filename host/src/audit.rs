//! The proof: what ClickHouse holds compared with itself and with Kafka, and told what differs.
//!
//! Four comparisons: the ids of silver (what is missing, by ids or by time, and whether it was counted right), candles with a recomputation from
//! silver, trades that silver has twice, and the offsets of Kafka with bronze. A window of time is walked through day by
//! day, so that its length costs no memory. What moves is no difference: a bucket that gold knows itself to be behind with
//! is looked at again until it has caught up.

mod days;
mod gold;
mod ids;
mod kafka;
mod mend;
mod render;
mod report;
mod settle;
mod times;
mod twins;
mod warehouse;

use jiff::Timestamp;

use crate::config::KafkaConfig;
use days::Day;
pub use render::AuditFormat;
pub use report::{Difference, Part, Report};
use settle::Bucket;
use warehouse::Warehouse;
pub use warehouse::{AuditError, AuditSource};

/// What is audited.
#[derive(Clone, Debug)]
pub struct AuditSettings {
    /// Where ClickHouse is.
    pub source: AuditSource,
    /// Kafka, whose offsets are compared with bronze.
    pub kafka: KafkaConfig,
    /// Exchanges whose bronze is compared with Kafka.
    pub exchanges: Vec<String>,
    /// First instant, by the exchange's time; rounded down to a day of UTC.
    pub from: Timestamp,
    /// End; rounded up to a day of UTC.
    pub to: Timestamp,
    /// Days that silver keeps; older days are not audited.
    pub silver_days: Option<u32>,
    /// Whether minutes and hours that gold wrongly believes to be done are computed again.
    pub mend: bool,
}

/// Compares everything, mends what can be mended where that is asked for, and says what is left.
///
/// # Errors
/// ClickHouse or Kafka cannot be asked. A difference is no error.
pub async fn audit(settings: &AuditSettings) -> Result<Report, AuditError> {
    let warehouse = Warehouse::new(&settings.source);
    warehouse.check_applied().await?;
    let days = days::days(settings.from, settings.to, settings.silver_days);
    let mut report = Report::new(&days);
    for day in days {
        audit_day(&warehouse, day, settings.mend, &mut report).await?;
    }
    for exchange in &settings.exchanges {
        kafka::compare(&warehouse, &settings.kafka, exchange, &mut report).await?;
    }
    Ok(report)
}

/// The counts that differ. Hours follow their minutes: when those had to be waited for, hours are looked at once more.
async fn counts(warehouse: &Warehouse, day: Day) -> Result<Vec<Bucket>, AuditError> {
    let comparison = ids::comparison(warehouse.database());
    let settled = settle::settled(warehouse, &comparison, day).await?;
    if !settled.waited {
        return Ok(settled.differing);
    }
    Ok(settle::settled(warehouse, &comparison, day).await?.differing)
}

async fn candles(warehouse: &Warehouse, day: Day) -> Result<Vec<Bucket>, AuditError> {
    Ok(settle::settled(warehouse, &gold::comparison(warehouse.database()), day).await?.differing)
}

async fn audit_day(warehouse: &Warehouse, day: Day, mend: bool, report: &mut Report) -> Result<(), AuditError> {
    let mut counted = counts(warehouse, day).await?;
    let mut bars = candles(warehouse, day).await?;
    if mend && (!counted.is_empty() || !bars.is_empty()) {
        let before = counted.len() + bars.len();
        mend::mark(warehouse, counted.iter().chain(&bars)).await?;
        counted = counts(warehouse, day).await?;
        bars = candles(warehouse, day).await?;
        report.mended += before.saturating_sub(counted.len() + bars.len());
    }
    report.add_compared(Part::Silver, ids::compared(warehouse, day).await?);
    report.add_compared(Part::Gold, gold::compared(warehouse, day).await?);
    for difference in &counted {
        report.add(ids::difference(difference));
    }
    for difference in &bars {
        report.add(gold::difference(difference));
    }
    for hole in ids::missing(warehouse, day).await? {
        report.add(hole);
    }
    for stretch in times::missing(warehouse, day).await? {
        report.add(stretch);
    }
    for twins in twins::twins(warehouse, day).await? {
        report.add(twins);
    }
    Ok(())
}
