//! `kafka.properties`: what librdkafka is told besides, and what it may not be told.

use std::collections::BTreeMap;

use rdkafka::ClientConfig;
use rdkafka::error::KafkaError;
use toml::de::DeValue;

use crate::config::Secret;
use crate::config::nearest::did_you_mean;
use crate::config::section::{Found, Section};

/// Properties that have a key of their own in `[kafka]`.
const KEYS: [(&str, &str); 13] = [
    ("bootstrap.servers", "brokers"),
    ("metadata.broker.list", "brokers"),
    ("compression.codec", "compression"),
    ("compression.type", "compression"),
    ("linger.ms", "linger_ms"),
    ("queue.buffering.max.ms", "linger_ms"),
    ("queue.buffering.max.messages", "queue_messages"),
    ("queue.buffering.max.kbytes", "queue_mb"),
    ("num.partitions", "partitions"),
    ("default.replication.factor", "replication"),
    ("topic.prefix", "topic_prefix"),
    ("partitions", "partitions"),
    ("transactional.id", "transactional_id"),
];

/// Properties by which trades could be lost, repeated or reordered.
const FIXED: [&str; 13] = [
    "enable.idempotence",
    "acks",
    "request.required.acks",
    "max.in.flight",
    "max.in.flight.requests.per.connection",
    "message.send.max.retries",
    "retries",
    "message.timeout.ms",
    "delivery.timeout.ms",
    "enable.gapless.guarantee",
    "queuing.strategy",
    "delivery.report.only.error",
    "message.max.bytes",
];

/// Properties that people often need, to find the nearest right one.
const COMMON: [&str; 20] = [
    "batch.num.messages",
    "batch.size",
    "broker.address.family",
    "client.id",
    "client.rack",
    "debug",
    "metadata.max.age.ms",
    "sasl.mechanism",
    "sasl.mechanisms",
    "sasl.password",
    "sasl.username",
    "security.protocol",
    "socket.keepalive.enable",
    "socket.timeout.ms",
    "ssl.ca.location",
    "ssl.certificate.location",
    "ssl.endpoint.identification.algorithm",
    "ssl.key.location",
    "ssl.key.password",
    "statistics.interval.ms",
];

/// Reads the properties.
pub(super) fn read(mut section: Section<'_, '_>) -> BTreeMap<String, Secret> {
    let mut properties = BTreeMap::new();
    for (name, value) in section.free_keys() {
        if let Some(reason) = refusal(name.value) {
            section.report(&name.place, &quoted(name.value), &reason);
            continue;
        }
        let Some((secret, hidden)) = read_value(&section, name.value, &value) else { continue };
        match ask_librdkafka(name.value, &secret, hidden) {
            Ok(()) => _ = properties.insert(name.value.to_owned(), secret),
            Err(message) => section.report(&name.place, &quoted(name.value), &message),
        }
    }
    properties
}

/// As the property is to be spelt in the file.
fn quoted(name: &str) -> String {
    format!("\"{}\"", name.escape_debug())
}

fn refusal(name: &str) -> Option<String> {
    if let Some((_, key)) = KEYS.iter().find(|(property, _)| *property == name) {
        return Some(format!("is set by kafka.{key}; set that instead"));
    }
    FIXED.contains(&name).then(|| {
        "cannot be set: with another value than Tapedeck's own, trades could be lost, repeated or reordered".to_owned()
    })
}

/// The value, and whether it came from where it must not be shown from.
fn read_value(section: &Section<'_, '_>, name: &str, value: &Found<&DeValue<'_>>) -> Option<(Secret, bool)> {
    let complain = |message: &str| section.report(&value.place, &quoted(name), message);
    match value.value {
        DeValue::String(text) => Some((Secret::new(text.as_ref()), false)),
        DeValue::Integer(number) => Some((Secret::new(number.to_string()), false)),
        DeValue::Boolean(flag) => Some((Secret::new(flag.to_string()), false)),
        DeValue::Table(table) => {
            let secret = Secret::from_elsewhere(table);
            secret.map_err(|message| complain(&message)).ok().map(|secret| (secret, true))
        }
        // The value may be a secret in the wrong place: it is not repeated.
        _ => {
            complain("expected a text in quotes, or { file = \"…\" } or { env = \"…\" } for where it is");
            None
        }
    }
}

fn ask_librdkafka(name: &str, value: &Secret, hidden: bool) -> Result<(), String> {
    let mut client = ClientConfig::new();
    client.set(name, value.expose());
    let Err(error) = client.create_native_config() else { return Ok(()) };
    let KafkaError::ClientConfig(_, reason, ..) = error else { return Err(format!("is not taken: {error}")) };
    if reason.contains("No such configuration property") {
        return Err(format!("librdkafka has no such property{}", did_you_mean(name, COMMON)));
    }
    if reason.contains("not available at build time") {
        let advice = "this tapedeck was built without TLS for Kafka; build it with `cargo build --features kafka-tls`";
        return Err(advice.to_owned());
    }
    Err(if hidden { "librdkafka does not take its value".to_owned() } else { format!("librdkafka says: {reason}") })
}
