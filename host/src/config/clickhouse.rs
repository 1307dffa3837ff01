//! `[clickhouse]`: where candles are made.

use super::Secret;

/// `[clickhouse]`. Without this section `tapedeck run` works all the same; `sql` and `candles` need it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClickHouseConfig {
    /// Base of its HTTP interface. Default `"http://127.0.0.1:8123"`.
    pub url: String,
    /// Database that holds every object; made if it is missing. Default `"tapedeck"`.
    pub database: String,
    /// User. Default `"default"`.
    pub user: String,
    /// Its password, from `password_file` or `password_env`; empty without either.
    pub password: Secret,
    /// Kafka's brokers as ClickHouse reaches them. Default `kafka.brokers`.
    pub kafka_brokers: String,
    /// Kafka consumers for each exchange, 1 to 64; more than there are partitions is of no use. Default 1.
    pub consumers: u32,
    /// Days that bronze rows are kept. Default 7.
    pub bronze_days: u32,
    /// Days that silver and gold rows are kept, by the exchange's time. Default: for ever.
    pub silver_days: Option<u32>,
    /// Days that quarantined rows are kept. Default 30.
    pub quarantine_days: u32,
}
