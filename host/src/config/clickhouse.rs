//! `[clickhouse]`: where candles are made.

use super::Secret;
use super::address::{UrlRule, base_url, brokers};
use super::kafka::KafkaConfig;
use super::section::Section;

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

impl Default for ClickHouseConfig {
    /// ClickHouse and Kafka on this machine.
    fn default() -> Self {
        Self {
            url: "http://127.0.0.1:8123".to_owned(),
            database: "tapedeck".to_owned(),
            user: "default".to_owned(),
            password: Secret::default(),
            kafka_brokers: "127.0.0.1:9092".to_owned(),
            consumers: 1,
            bronze_days: 7,
            silver_days: None,
            quarantine_days: 30,
        }
    }
}

impl ClickHouseConfig {
    /// The section, or none if the file has none.
    pub(super) fn read(mut section: Section<'_, '_>, kafka: &KafkaConfig) -> Option<Self> {
        let there = section.there;
        section.refuse(
            "password",
            "a password does not belong in this file; put it into a file of its own and write password_file = \"…\", or \
             into an environment variable and write password_env = \"…\"",
        );
        let default = Self { kafka_brokers: kafka.brokers.clone(), ..Self::default() };
        let config = Self {
            url: read_url(&mut section).unwrap_or(default.url),
            database: read_database(&mut section).unwrap_or(default.database),
            user: section.text("user", "\"default\"").map_or(default.user, |found| found.value.to_owned()),
            password: read_password(&mut section),
            kafka_brokers: read_brokers(&mut section).unwrap_or(default.kafka_brokers),
            consumers: section.number("consumers", default.consumers, 1..=64),
            bronze_days: section.number("bronze_days", default.bronze_days, 1..=36_500),
            silver_days: section.optional_number("silver_days", 365, 1..=36_500),
            quarantine_days: section.number("quarantine_days", default.quarantine_days, 1..=36_500),
        };
        section.finish();
        there.then_some(config)
    }
}

fn read_url(section: &mut Section<'_, '_>) -> Option<String> {
    let example = "http://127.0.0.1:8123";
    let found = section.text("url", &format!("\"{example}\""))?;
    let rule = UrlRule { safe: "https", plain: "http", allow_plain: true, example };
    base_url(found.value, &rule).map_err(|message| section.report(&found.place, "url", &message)).ok()
}

fn read_database(section: &mut Section<'_, '_>) -> Option<String> {
    let found = section.text("database", "\"tapedeck\"")?;
    let name = found.value;
    let good = name.len() <= 64
        && name.starts_with(|letter: char| letter.is_ascii_alphabetic() || letter == '_')
        && name.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '_');
    let own = ["system", "information_schema"].iter().any(|taken| taken.eq_ignore_ascii_case(name));
    if !good {
        let message = format!(
            "\"{}\" is not a database's name; write letters, digits and _, at most 64, a letter first",
            name.escape_debug()
        );
        section.report(&found.place, "database", &message);
    } else if own {
        section.report(&found.place, "database", &format!("\"{name}\" is ClickHouse's own; choose another"));
    }
    (good && !own).then(|| name.to_owned())
}

fn read_brokers(section: &mut Section<'_, '_>) -> Option<String> {
    let found = section.text("kafka_brokers", "\"kafka:9092\"")?;
    brokers(found.value).map_err(|message| section.report(&found.place, "kafka_brokers", &message)).ok()
}

fn read_password(section: &mut Section<'_, '_>) -> Secret {
    let file = section.text("password_file", "\"/run/secrets/clickhouse\"");
    let variable = section.text("password_env", "\"CLICKHOUSE_PASSWORD\"");
    let (key, found, secret) = match (file, variable) {
        (None, None) => return Secret::default(),
        (Some(_), Some(variable)) => {
            section.report(&variable.place, "password_env", "password_file is there as well; keep one of the two");
            return Secret::default();
        }
        (Some(file), None) => ("password_file", file.clone(), Secret::from_file(file.value)),
        (None, Some(variable)) => ("password_env", variable.clone(), Secret::from_env(variable.value)),
    };
    secret.unwrap_or_else(|message| {
        section.report(&found.place, key, &message);
        Secret::default()
    })
}
