//! A file of `sql/` made into one statement: placeholders filled, the object that it is about recognised.

use sha2::{Digest as _, Sha256};

use super::files::{FILES, File};
use super::settings::SchemaSettings;

/// What a statement makes, which decides how it is changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// A table that keeps rows: made once, never dropped.
    Table,
    /// Part of the way of a row, keeping none: topic, joint, or view that pushes on. Rebuilt with the exchange's topic shut.
    Passage,
    /// A view or a refresh: dropped and made anew whenever it changes.
    View,
    /// A property of a table, or a row that says something of it: run again whenever it changes.
    Property,
}

/// One statement, ready to run.
#[derive(Clone, Debug)]
pub(super) struct Statement {
    pub(super) file: &'static File,
    /// Empty for what all exchanges share.
    pub(super) exchange: String,
    pub(super) kind: Kind,
    /// Object that it makes or changes, without the database.
    pub(super) object: String,
    /// The statement, with its comment.
    pub(super) text: String,
    /// SHA-256 of the file before placeholders were filled, in hexadecimal.
    pub(super) checksum: String,
}

impl Statement {
    /// Name for people: the file, with the exchange where it is a template.
    pub(super) fn label(&self) -> String {
        if self.exchange.is_empty() {
            self.file.name.to_owned()
        } else {
            format!("{}@{}", self.file.name, self.exchange)
        }
    }
}

/// All statements for these settings, in the order of application.
pub(super) fn statements(settings: &SchemaSettings) -> Vec<Statement> {
    let shared = FILES.iter().filter(|file| !file.is_per_exchange()).map(|file| statement(file, "", settings));
    let per_exchange = settings.exchanges.iter().flat_map(|exchange| {
        // What is not known is not said, and does not replace what was known before.
        let is_known = |file: &&File| settings.trade_ids.contains_key(exchange) || !file.text.contains("{{trade_ids}}");
        let files = FILES.iter().filter(|file| file.is_per_exchange()).filter(is_known);
        files.map(move |file| statement(file, exchange, settings)).collect::<Vec<_>>()
    });
    shared.chain(per_exchange).collect()
}

fn statement(file: &'static File, exchange: &str, settings: &SchemaSettings) -> Statement {
    let text = fill(file.text, exchange, settings);
    let (kind, object) = recognise(&text);
    Statement { file, exchange: exchange.to_owned(), kind, object, text, checksum: checksum(file.text) }
}

/// SHA-256 in hexadecimal.
fn checksum(text: &str) -> String {
    Sha256::digest(text).iter().map(|byte| format!("{byte:02x}")).collect()
}

fn fill(template: &str, exchange: &str, settings: &SchemaSettings) -> String {
    let silver_floor = match settings.silver_days {
        Some(days) => format!("(now('UTC') - INTERVAL {days} DAY)"),
        None => "toDateTime(0, 'UTC')".to_owned(),
    };
    // "For good" is a hundred years: a table's TTL can be changed, but a missing one cannot be removed again and again.
    let silver_ttl_days = settings.silver_days.map_or(36_500, |days| days + 2);
    let values = [
        ("database", settings.database.clone()),
        ("exchange", exchange.to_owned()),
        ("topic", format!("{}.{exchange}", settings.topic_prefix)),
        ("brokers", settings.kafka_brokers.clone()),
        ("consumers", settings.consumers.to_string()),
        ("thread_per_consumer", u8::from(settings.consumers > 1).to_string()),
        ("bronze_days", settings.bronze_days.to_string()),
        ("quarantine_days", settings.quarantine_days.to_string()),
        ("silver_floor", silver_floor),
        ("silver_ttl_days", silver_ttl_days.to_string()),
        ("trade_ids", settings.trade_ids.get(exchange).map_or("", |ids| ids.as_str()).to_owned()),
    ];
    let mut text = template.trim_end().to_owned();
    for (name, value) in values {
        text = text.replace(&format!("{{{{{name}}}}}"), &value);
    }
    text
}

/// What a statement is about. Every file is checked by a test to be one of these forms.
fn recognise(text: &str) -> (Kind, String) {
    let code: Vec<&str> = text.lines().filter(|line| !line.starts_with("--")).collect();
    let code = code.join("\n");
    let property = ["ALTER TABLE ", "INSERT INTO "].iter().find_map(|verb| code.strip_prefix(verb));
    let (kind, rest) = if let Some(rest) = property {
        (Kind::Property, rest)
    } else if let Some(rest) = code.strip_prefix("CREATE TABLE IF NOT EXISTS ") {
        let keeps_nothing = ["ENGINE = Null", "ENGINE = Kafka"].iter().any(|engine| code.contains(engine));
        (if keeps_nothing { Kind::Passage } else { Kind::Table }, rest)
    } else if let Some(rest) = code.strip_prefix("CREATE MATERIALIZED VIEW IF NOT EXISTS ") {
        (if code.contains("\nREFRESH EVERY ") { Kind::View } else { Kind::Passage }, rest)
    } else {
        (Kind::View, code.strip_prefix("CREATE VIEW IF NOT EXISTS ").unwrap_or(""))
    };
    let name = rest.split_whitespace().next().unwrap_or("");
    let object = name.split_once('.').map_or(name, |(_, object)| object);
    (kind, object.to_owned())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::plugin::TradeIds;

    fn settings() -> SchemaSettings {
        SchemaSettings {
            url: String::new(),
            database: "market".into(),
            user: String::new(),
            password: String::new(),
            kafka_brokers: "broker:9092".into(),
            topic_prefix: "trades".into(),
            consumers: 2,
            bronze_days: 7,
            silver_days: Some(30),
            quarantine_days: 90,
            exchanges: vec!["north".into(), "south".into()],
            trade_ids: BTreeMap::from([("north".into(), TradeIds::Dense)]),
        }
    }

    #[test]
    fn only_a_known_rule_of_ids_is_said() {
        let said: Vec<String> = statements(&settings())
            .into_iter()
            .filter(|one| one.object == "trade_ids" && one.kind == Kind::Property)
            .map(|one| one.text)
            .collect();
        assert_eq!(said.len(), 1);
        assert!(said[0].contains("VALUES ('north', 'dense', "), "{}", said[0]);
    }

    #[test]
    fn every_placeholder_is_filled_and_every_object_recognised() {
        for statement in statements(&settings()) {
            assert!(!statement.text.contains("{{"), "{}", statement.text);
            assert!(!statement.object.is_empty(), "{} is of no known form", statement.label());
            assert!(statement.text.contains(&format!("market.{}", statement.object)), "{}", statement.label());
            assert_eq!(statement.checksum.len(), 64);
        }
    }

    #[test]
    fn what_keeps_rows_depends_on_no_setting() {
        let mut other = settings();
        (other.kafka_brokers, other.topic_prefix, other.consumers) = ("b:1".into(), "t".into(), 1);
        (other.bronze_days, other.silver_days, other.quarantine_days) = (1, None, 2);
        for (one, two) in statements(&settings()).iter().zip(statements(&other)) {
            let may_change = match one.kind {
                Kind::Table => false,
                // Shared passages stand in the way of every exchange, so they have no settings either.
                Kind::Passage => !one.exchange.is_empty(),
                Kind::View | Kind::Property => true,
            };
            assert!(may_change || one.text == two.text, "{}", one.label());
        }
    }

    #[test]
    fn kinds_are_told_apart() {
        let kind_of =
            |object: &str| statements(&settings()).iter().find(|one| one.object == object).map(|one| one.kind);
        assert_eq!(kind_of("silver_trades"), Some(Kind::Table));
        assert_eq!(kind_of("mark_minutes"), Some(Kind::Passage));
        assert_eq!(kind_of("kafka_trades_south"), Some(Kind::Passage));
        assert_eq!(kind_of("judged_trades_north"), Some(Kind::Passage));
        assert_eq!(kind_of("find_pending"), Some(Kind::View));
        assert_eq!(kind_of("ohlcv_now"), Some(Kind::View));
    }

    #[test]
    fn the_topic_is_read_last_and_every_exchange_has_its_own_objects() {
        let all = statements(&settings());
        assert_eq!(all.last().map(|last| last.object.as_str()), Some("read_trades_south"));
        let mut objects: Vec<&str> =
            all.iter().filter(|one| one.kind != Kind::Property).map(|one| one.object.as_str()).collect();
        objects.sort_unstable();
        let count = objects.len();
        objects.dedup();
        assert_eq!(objects.len(), count);
    }
}
