//! The loop written by hand. See [`crate::hand`].

use std::process::Command;

use anyhow::Result;

use super::{Client, Programs, Way};
use crate::hand::reader::Exchange;
use crate::hand::record::Layout;
use crate::load::form::Form;

/// The loop.
#[derive(Debug, Clone)]
pub struct Hand {
    programs: Programs,
    exchange: Exchange,
    layout: Layout,
}

impl Hand {
    /// The loop that reads this exchange and writes such records.
    #[must_use]
    pub fn new(programs: &Programs, exchange: Exchange, layout: Layout) -> Self {
        Self { programs: programs.clone(), exchange, layout }
    }
}

impl Client for Hand {
    fn name(&self) -> String {
        match self.layout {
            Layout::Full => "loop by hand".to_owned(),
            Layout::Lean => "loop by hand, lean record".to_owned(),
        }
    }

    fn form(&self) -> Option<Form> {
        Some(match self.exchange {
            Exchange::Binance => Form::BinanceTrade,
            Exchange::Kraken => Form::Kraken,
        })
    }

    fn command(&self, way: &Way<'_>) -> Result<Command> {
        let path = match self.exchange {
            Exchange::Binance => "stream",
            Exchange::Kraken => "v2",
        };
        let mut command = Command::new(self.programs.programs.join("hand"));
        command.args(["--exchange", self.exchange.name(), "--layout", self.layout.name()]);
        command.args(["--brokers", way.brokers, "--topic", way.topic]);
        command.args(["--url", &format!("{}/{path}", way.endpoint())]);
        Ok(command)
    }

    fn is_required(&self) -> bool {
        true
    }
}
