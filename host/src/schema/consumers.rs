//! ClickHouse's threads for consumers of Kafka: how many there are, and how many are wanted.

use super::error::SchemaError;
use super::server::Server;
use super::settings::SchemaSettings;

/// The threads that all consumers of Kafka of a server share, and who wants one. Where there are fewer threads than
/// consumers, these take turns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Consumers {
    /// Threads; `None` before the server's first table that reads from Kafka, which makes them.
    pub threads: Option<u64>,
    /// Consumers that the settings ask for: those of trades, and one of gaps for each exchange.
    pub own: u64,
    /// Consumers of all other tables that the user may see.
    pub others: u64,
}

impl Consumers {
    /// Asks the server.
    pub(super) async fn count(server: &Server, settings: &SchemaSettings) -> Result<Self, SchemaError> {
        let sql = "SELECT sum(toUInt64OrZero(value)) FROM system.server_settings \
                   WHERE name = 'background_message_broker_schedule_pool_size'";
        let threads: u64 = server.one(sql, &[]).await?;
        // A table takes one thread for all of its consumers, or one for each where it says so.
        let sql = "SELECT sum(if(extract(engine_full, 'kafka_thread_per_consumer = ([a-z0-9]+)') IN ('1', 'true'), \
                   greatest(toUInt64OrZero(extract(engine_full, 'kafka_num_consumers = ([0-9]+)')), 1), 1)) \
                   FROM system.tables WHERE engine = 'Kafka' \
                   AND NOT (database = {database:String} AND has(splitByChar(',', {own:String}), name))";
        let own =
            settings.exchanges.iter().flat_map(|one| [format!("kafka_trades_{one}"), format!("kafka_gaps_{one}")]);
        let own = own.collect::<Vec<_>>().join(",");
        let others = server.one(sql, &[("database", &settings.database), ("own", &own)]).await?;
        Ok(Self {
            threads: Some(threads).filter(|threads| *threads > 0),
            own: settings.exchanges.len() as u64 * (u64::from(settings.consumers) + 1),
            others,
        })
    }

    /// All that take part.
    #[must_use]
    pub fn wanted(&self) -> u64 {
        self.own + self.others
    }
}
