//! Redpanda Connect: its WebSocket input, a mapping to the same record, its Kafka output. Sources in bench/peers/connect.

use std::process::Command;

use anyhow::Result;

use super::{Client, Way};
use crate::load::form::Form;
use crate::peers;

const PEER: &str = "connect";
/// As bench/peers/connect/go.mod pins it.
pub const VERSION: &str = "4.100.0";

/// A pipeline of Redpanda Connect.
#[derive(Debug, Clone)]
pub struct Connect {
    in_flight: u32,
    /// How long a batch fills, milliseconds.
    period_ms: u32,
}

impl Connect {
    /// The pipeline that keeps the order of trades: one batch at a time is on its way. A batch that fills for 5 ms as
    /// everybody's would be small, and the pipeline three times as slow.
    #[must_use]
    pub fn in_order() -> Self {
        Self { in_flight: 1, period_ms: 20 }
    }

    /// The pipeline that keeps many batches on their way at once.
    #[must_use]
    pub fn out_of_order() -> Self {
        Self { in_flight: 64, period_ms: 5 }
    }
}

impl Client for Connect {
    fn name(&self) -> String {
        let how = if self.in_flight == 1 { "in order".to_owned() } else { format!("{} in flight", self.in_flight) };
        format!("Redpanda Connect {VERSION}, {how}")
    }

    fn set_up(&mut self) -> Result<()> {
        let program = peers::folder(PEER).join(PEER);
        let go = peers::program("go")?;
        if !program.is_file() {
            println!("  building bench/peers/{PEER} with go (the first time takes minutes)");
        }
        let mut build = Command::new(go);
        build.current_dir(peers::sources(PEER)).args(["build", "-trimpath", "-o"]).arg(program).arg(".");
        peers::run(build, &format!("bench/peers/{PEER}"))
    }

    fn form(&self) -> Option<Form> {
        Some(Form::BinanceTrade)
    }

    fn command(&self, way: &Way<'_>) -> Result<Command> {
        let mut command = Command::new(peers::folder(PEER).join(PEER));
        command.arg("run").arg(peers::sources(PEER).join("pipeline.yaml"));
        command.env("URL", format!("{}/stream", way.endpoint())).env("BROKERS", way.brokers).env("TOPIC", way.topic);
        command.env("IN_FLIGHT", self.in_flight.to_string()).env("PERIOD", format!("{}ms", self.period_ms));
        Ok(command)
    }
}
