//! Kafka's offsets against bronze: every record that ClickHouse took over is in bronze or in quarantine.

mod offsets;
mod partition;

use clickhouse::Row;
use serde::Deserialize;

use super::report::{Difference, Part, Report};
use super::warehouse::{AuditError, Warehouse};
use crate::config::KafkaConfig;
use offsets::{BUCKET, Range, holes_between};
use partition::Partition;

/// The most holes of a partition that are looked up in Kafka, the newest ones.
const LOOKED_UP: usize = 2_000;

#[derive(Row, Deserialize)]
struct Held {
    bucket: u64,
    offsets: u64,
}

/// Compares an exchange's topic, from the earliest offset that ClickHouse holds and Kafka still has to the committed one.
///
/// Redelivered offsets count once. A hole is a difference if Kafka has a record there: the ends of transactions, and the
/// records of aborted ones, have offsets too, and nobody is given them.
pub(super) async fn compare(
    warehouse: &Warehouse,
    config: &KafkaConfig,
    exchange: &str,
    report: &mut Report,
) -> Result<(), AuditError> {
    let topic = config.topic(exchange);
    let group = format!("tapedeck.{}.{exchange}", warehouse.database());
    for partition in partition::partitions(config, &topic, &group).await? {
        compare_partition(warehouse, config, exchange, &topic, partition, report).await?;
    }
    Ok(())
}

async fn compare_partition(
    warehouse: &Warehouse,
    config: &KafkaConfig,
    exchange: &str,
    topic: &str,
    partition: Partition,
    report: &mut Report,
) -> Result<(), AuditError> {
    let here = format!(
        "(SELECT kafka_offset FROM {0}.bronze_trades_{exchange} WHERE kafka_topic = {{topic:String}} AND kafka_partition = {{partition:UInt32}} \
         UNION ALL SELECT kafka_offset FROM {0}.quarantine WHERE exchange = '{exchange}' AND kafka_topic = {{topic:String}} \
         AND kafka_partition = {{partition:UInt32}})",
        warehouse.database()
    );
    let place = [("topic", topic.to_owned()), ("partition", partition.number.to_string())];
    let earliest = format!("SELECT if(count() = 0, NULL, min(kafka_offset)) FROM {here}");
    let earliest: Option<u64> = warehouse.rows(&earliest, &place).await?.into_iter().next().flatten();
    let Some(earliest) = earliest else { return Ok(()) };
    let wanted = Range { from: earliest.max(partition.low), to: partition.committed };
    if wanted.from >= wanted.to {
        return Ok(());
    }
    report.add_compared(Part::Kafka, wanted.to - wanted.from);

    let bounds = [("from", wanted.from.to_string()), ("to", wanted.to.to_string())];
    let inside = "kafka_offset >= {from:UInt64} AND kafka_offset < {to:UInt64}";
    let sql = format!(
        "SELECT intDiv(kafka_offset, {BUCKET}) AS bucket, groupBitmap(kafka_offset) AS offsets FROM {here} WHERE {inside} GROUP BY bucket"
    );
    let parameters: Vec<_> = place.iter().chain(&bounds).cloned().collect();
    let held: Vec<Held> = warehouse.rows(&sql, &parameters).await?;
    let held = held.into_iter().map(|held| (held.bucket, held.offsets)).collect();
    let mut holes = Vec::new();
    for bucket in offsets::incomplete(wanted, &held) {
        let bounds = [("from", bucket.from.to_string()), ("to", bucket.to.to_string())];
        let sql = format!("SELECT arraySort(groupUniqArray(kafka_offset)) FROM {here} WHERE {inside}");
        let parameters: Vec<_> = place.iter().chain(&bounds).cloned().collect();
        let there: Vec<Vec<u64>> = warehouse.rows(&sql, &parameters).await?;
        holes.extend(holes_between(bucket, &there.into_iter().flatten().collect::<Vec<_>>()));
    }
    let holes = offsets::joined(holes);
    if let Some(unseen) = holes.len().checked_sub(LOOKED_UP).filter(|unseen| *unseen > 0) {
        report.notes.push(format!("{topic}[{}]: {unseen} older holes were not looked up", partition.number));
    }
    let newest = holes.into_iter().rev().take(LOOKED_UP).rev().collect();
    for lost in partition::records_in(config, topic, &partition, newest).await? {
        let last = lost.to - 1;
        let which =
            if last == lost.from { format!("offset {last}") } else { format!("offsets {} to {last}", lost.from) };
        report.add(Difference {
            part: Part::Kafka,
            kind: "not in bronze".to_owned(),
            exchange: exchange.to_owned(),
            subject: format!("{topic}[{}]", partition.number),
            at: String::new(),
            detail: format!(
                "{which}: Kafka has it and ClickHouse has taken it over, but bronze and quarantine have not"
            ),
        });
    }
    Ok(())
}
