//! Whether Kafka answers and has the topics.

use std::path::Path;

use super::{Findings, count};
use crate::config::KafkaConfig;
use crate::session::chain;
use crate::sink::topics;

/// Asks for the topics of these exchanges; makes none.
pub(super) async fn check(config: &KafkaConfig, exchanges: &[String], file: &Path) -> Findings {
    let mut findings = Findings::default();
    let wanted = topics::topics(config, exchanges.iter().map(String::as_str));
    let (asked, number) = (config.clone(), wanted.len());
    // The client blocks while it waits for an answer.
    let missing = tokio::task::spawn_blocking(move || topics::missing(&asked, wanted)).await;
    match missing.map_err(anyhow::Error::from).and_then(|missing| missing) {
        Err(error) => findings.problems.push(chain(error.as_ref())),
        Ok(missing) => {
            findings.passed.push(format!("Kafka answers at {}", config.brokers));
            if missing.is_empty() && number > 0 {
                findings.passed.push(format!("Kafka has {}", count(number, "topic")));
            }
            let advice = format!(
                "make it with `tapedeck topics apply --config {}`, or start `tapedeck run`, which makes it too",
                file.display()
            );
            findings
                .problems
                .extend(missing.iter().map(|topic| format!("Kafka has no topic {}; {advice}", topic.name)));
        }
    }
    findings
}
