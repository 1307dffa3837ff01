//! What is compared: programs that read an exchange's socket and write its trades to Kafka.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Result;

use crate::load::form::Form;

pub mod connect;
pub mod cryptofeed;
pub mod hand;
pub mod librdkafka;
pub mod tapedeck;

/// A program that is compared.
pub trait Client {
    /// Its name, with its version where it is not ours.
    fn name(&self) -> String;

    /// Makes it ready to be started.
    ///
    /// # Errors
    /// It cannot be had here: a sentence.
    fn set_up(&mut self) -> Result<()> {
        Ok(())
    }

    /// What it is sent; none if it makes records of its own, and is a source as [`crate::load::source`] describes it.
    fn form(&self) -> Option<Form>;

    /// The command that starts it. It ends by being killed.
    ///
    /// # Errors
    /// Its configuration cannot be written.
    fn command(&self, way: &Way<'_>) -> Result<Command>;

    /// The most trades that it can be sent without limit, where it would lose them otherwise.
    fn most(&self) -> Option<u64> {
        None
    }

    /// Whether there is nothing to say without it.
    fn is_required(&self) -> bool {
        false
    }
}

/// From where to where a run goes.
#[derive(Debug)]
pub struct Way<'a> {
    /// Kafka's address.
    pub brokers: &'a str,
    /// What the names of all topics of the run begin with.
    pub prefix: &'a str,
    /// The topic of trades: `<prefix>.<exchange>`.
    pub topic: &'a str,
    /// Port of the exchange's WebSocket on loopback.
    pub port: u16,
    /// An empty folder.
    pub folder: &'a Path,
}

impl Way<'_> {
    /// Base of the exchange's WebSocket, without a path.
    #[must_use]
    pub fn endpoint(&self) -> String {
        format!("ws://127.0.0.1:{}", self.port)
    }
}

/// Where the programs and plugins of the project are.
#[derive(Debug, Clone)]
pub struct Programs {
    /// Folder with release builds.
    pub programs: PathBuf,
    /// Folder with plugins.
    pub plugins: PathBuf,
}
