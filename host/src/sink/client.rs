//! What every Kafka client of the host is told.

use rdkafka::ClientConfig;

use crate::config::KafkaConfig;

/// Brokers, name and the user's own properties.
pub fn client_config(config: &KafkaConfig) -> ClientConfig {
    let mut client = ClientConfig::new();
    client
        .set("bootstrap.servers", &config.brokers)
        .set("client.id", "tapedeck")
        // A broker that comes back is found within a second, not after librdkafka's default of ten.
        .set("reconnect.backoff.max.ms", "1000");
    for (name, value) in &config.properties {
        client.set(name, value.expose());
    }
    client
}

/// What every producer is told.
pub(super) fn producer_config(config: &KafkaConfig) -> ClientConfig {
    let mut client = client_config(config);
    client
        .set("enable.idempotence", "true")
        .set("acks", "all")
        // The same partition for a key as Java's producer chooses.
        .set("partitioner", "murmur2_random")
        .set("message.max.bytes", super::topics::LARGEST_RECORD_BYTES.to_string())
        .set("compression.type", config.compression.as_str())
        .set("linger.ms", config.linger.as_millis().to_string());
    client
}
