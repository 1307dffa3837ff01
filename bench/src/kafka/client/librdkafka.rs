//! Kafka's client alone, without a socket: `produce`.

use std::process::Command;

use anyhow::Result;

use super::{Client, Programs, Way};
use crate::load::form::Form;

/// The producer, and nothing before it.
#[derive(Debug, Clone)]
pub struct Librdkafka(Programs);

impl Librdkafka {
    /// With the program from there.
    #[must_use]
    pub fn new(programs: &Programs) -> Self {
        Self(programs.clone())
    }
}

impl Client for Librdkafka {
    fn name(&self) -> String {
        "librdkafka alone".to_owned()
    }

    fn form(&self) -> Option<Form> {
        None
    }

    fn command(&self, way: &Way<'_>) -> Result<Command> {
        let mut command = Command::new(self.0.programs.join("produce"));
        command.args(["--brokers", way.brokers, "--topic", way.topic]);
        Ok(command)
    }

    fn is_required(&self) -> bool {
        true
    }
}
