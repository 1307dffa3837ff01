//! What the ClickHouse objects depend on, already validated as far as text can be.

use std::collections::BTreeMap;
use std::fmt;

use super::error::SchemaError;
use crate::plugin::TradeIds;

/// Where ClickHouse is and what its objects are made from.
#[derive(Clone)]
pub struct SchemaSettings {
    /// Address of the HTTP interface, such as `http://127.0.0.1:8123`.
    pub url: String,
    /// Database that holds everything; created when it is missing.
    pub database: String,
    /// User that makes the objects and, as their definer, owns the inserts and refreshes.
    pub user: String,
    /// That user's password; empty for none.
    pub password: String,
    /// Kafka's bootstrap addresses as ClickHouse sees them, separated by commas.
    pub kafka_brokers: String,
    /// Topics are `<topic_prefix>.<exchange>`.
    pub topic_prefix: String,
    /// Kafka consumers per exchange, at least 1.
    pub consumers: u32,
    /// Days that bronze keeps a trade after it was ingested, at least 1.
    pub bronze_days: u32,
    /// Days that silver keeps a trade after its own timestamp; `None` keeps all.
    pub silver_days: Option<u32>,
    /// Days that the quarantine keeps a record, at least 1.
    pub quarantine_days: u32,
    /// Exchanges that get bronze objects, `[a-z0-9_]+` each.
    pub exchanges: Vec<String>,
    /// How trade ids behave on the exchanges whose plugin could be asked; of the others nothing is said.
    pub trade_ids: BTreeMap<String, TradeIds>,
}

impl fmt::Debug for SchemaSettings {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("SchemaSettings")
            .field("url", &self.url)
            .field("database", &self.database)
            .field("user", &self.user)
            .field("exchanges", &self.exchanges)
            .finish_non_exhaustive()
    }
}

impl SchemaSettings {
    /// Checks what becomes part of a statement: names, lists and numbers.
    ///
    /// # Errors
    /// [`SchemaError::Setting`] names the setting, its value and what is allowed.
    pub fn validate(&self) -> Result<(), SchemaError> {
        if !is_identifier(&self.database) {
            return Err(SchemaError::setting(
                "database",
                &self.database,
                "letters, digits and `_`, 64 at most, not starting with a digit",
            ));
        }
        for exchange in &self.exchanges {
            if !is_exchange_name(exchange) {
                return Err(SchemaError::setting(
                    "exchange",
                    exchange,
                    "lower-case letters a-z, digits and `_`, 64 at most",
                ));
            }
        }
        if self.kafka_brokers.is_empty()
            || !self.kafka_brokers.chars().all(|c| c.is_ascii_alphanumeric() || ".:,-_[]".contains(c))
        {
            return Err(SchemaError::setting("kafka_brokers", &self.kafka_brokers, "`host:port`, separated by commas"));
        }
        if self.topic_prefix.is_empty()
            || !self.topic_prefix.chars().all(|c| c.is_ascii_alphanumeric() || "._-".contains(c))
        {
            return Err(SchemaError::setting("topic_prefix", &self.topic_prefix, "letters, digits, `.`, `_` and `-`"));
        }
        let days = [
            ("bronze_days", Some(self.bronze_days)),
            ("silver_days", self.silver_days),
            ("quarantine_days", Some(self.quarantine_days)),
        ];
        for (name, value) in days {
            if let Some(value) = value
                && !(1..=36_500).contains(&value)
            {
                return Err(SchemaError::setting(name, &value.to_string(), "1 to 36500 days"));
            }
        }
        if !(1..=64).contains(&self.consumers) {
            return Err(SchemaError::setting("consumers", &self.consumers.to_string(), "1 to 64"));
        }
        Ok(())
    }
}

fn is_identifier(name: &str) -> bool {
    (1..=64).contains(&name.len())
        && !name.starts_with(|c: char| c.is_ascii_digit())
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

fn is_exchange_name(name: &str) -> bool {
    (1..=64).contains(&name.len()) && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings() -> SchemaSettings {
        SchemaSettings {
            url: "http://127.0.0.1:8123".into(),
            database: "tapedeck".into(),
            user: "default".into(),
            password: "hunter2".into(),
            kafka_brokers: "127.0.0.1:9092".into(),
            topic_prefix: "market.crypto.trades".into(),
            consumers: 1,
            bronze_days: 7,
            silver_days: None,
            quarantine_days: 30,
            exchanges: vec!["moonex".into()],
            trade_ids: BTreeMap::new(),
        }
    }

    #[test]
    fn what_would_break_out_of_a_statement_is_refused() {
        settings().validate().unwrap();
        let broken: [fn(&mut SchemaSettings); 8] = [
            |s| s.database = "a`b".into(),
            |s| s.database = "1a".into(),
            |s| s.exchanges = vec!["Moonex".into()],
            |s| s.exchanges = vec!["a-b".into()],
            |s| s.exchanges = vec![String::new()],
            |s| s.kafka_brokers = "h:9092', x='".into(),
            |s| s.topic_prefix = "a'b".into(),
            |s| s.bronze_days = 0,
        ];
        for breaks in broken {
            let mut settings = settings();
            breaks(&mut settings);
            let message = settings.validate().unwrap_err().to_string();
            assert!(message.contains("is not allowed"), "{message}");
        }
    }

    #[test]
    fn a_password_is_never_printed() {
        assert!(!format!("{:?}", settings()).contains("hunter2"));
    }
}
