//! The start: Kafka is waited for, and says where a former host stopped.

use std::collections::{BTreeSet, HashMap};
use std::time::Duration;

use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use crate::config::Config;
use crate::sink::{Sink, positions, topics};

/// Pause between two attempts to reach Kafka.
const KAFKA_PAUSE: Duration = Duration::from_secs(1);

/// Waits until Kafka is there, has the topics, and tells the positions of a former host. None if the shutdown came first.
pub(super) async fn wait_for_kafka(
    config: &Config,
    sink: &Sink,
    exchanges: &BTreeSet<String>,
    shutdown: &CancellationToken,
) -> Option<HashMap<Vec<u8>, Vec<u8>>> {
    let mut said = String::new();
    loop {
        let ready = tokio::select! {
            ready = prepare(config, sink, exchanges) => ready,
            () = shutdown.cancelled() => return None,
        };
        match ready {
            Ok(positions) => return Some(positions),
            Err(error) => {
                let sentence = format!("{error:#}");
                if sentence != said {
                    warn!(reason = sentence, "waiting for Kafka; no session starts before it is there");
                    said = sentence;
                }
            }
        }
        tokio::select! {
            () = tokio::time::sleep(KAFKA_PAUSE) => {}
            () = shutdown.cancelled() => return None,
        }
    }
}

async fn prepare(
    config: &Config,
    sink: &Sink,
    exchanges: &BTreeSet<String>,
) -> anyhow::Result<HashMap<Vec<u8>, Vec<u8>>> {
    let wanted = topics::topics(&config.kafka, exchanges.iter().map(String::as_str));
    for topic in topics::ensure(&config.kafka, wanted).await? {
        info!(topic = topic.name, "made a topic");
    }
    // What a former host left unfinished moves positions.
    sink.open().await?;
    positions::read(&config.kafka).await
}
