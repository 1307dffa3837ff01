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
