//! cryptofeed with its Kafka backend. Sources in bench/peers/cryptofeed.

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result};

use super::{Client, Way};
use crate::load::form::Form;
use crate::peers;

const PEER: &str = "cryptofeed";
/// As bench/peers/cryptofeed/requirements.txt pins it.
pub const VERSION: &str = "2.4.1";

/// Its queue is unbounded: a longer load would only show how much memory there is.
const MOST: u64 = 6_000;

/// cryptofeed, in an environment of Python of its own.
#[derive(Debug, Clone, Copy)]
pub struct Cryptofeed;

impl Client for Cryptofeed {
    fn name(&self) -> String {
        format!("cryptofeed {VERSION}")
    }

    fn set_up(&mut self) -> Result<()> {
        let requirements = peers::sources(PEER).join("requirements.txt");
        let wanted = std::fs::read(&requirements).with_context(|| format!("{} is missing", requirements.display()))?;
        // Written last, so that a set-up that was interrupted is done again.
        let installed = peers::folder(PEER).join("installed.txt");
        if std::fs::read(&installed).is_ok_and(|found| found == wanted) {
            return Ok(());
        }
        println!("  installing bench/peers/{PEER} with pip");
        let mut environment = Command::new(peers::program("python3")?);
        environment.args(["-m", "venv", "--clear"]).arg(peers::folder(PEER));
        peers::run(environment, "bench/peers/cryptofeed")?;
        let mut install = Command::new(python());
        install
            .args(["-m", "pip", "install", "--quiet", "--no-deps", "--require-hashes", "--requirement"])
            .arg(requirements);
        peers::run(install, "bench/peers/cryptofeed")?;
        std::fs::write(&installed, wanted).with_context(|| format!("{} cannot be written", installed.display()))
    }

    fn form(&self) -> Option<Form> {
        Some(Form::BinanceAggTrade)
    }

    fn command(&self, way: &Way<'_>) -> Result<Command> {
        let mut command = Command::new(python());
        command.arg(peers::sources(PEER).join("trades.py")).args([&way.endpoint(), way.brokers, way.topic]);
        Ok(command)
    }

    fn most(&self) -> Option<u64> {
        Some(MOST)
    }
}

fn python() -> PathBuf {
    peers::folder(PEER).join("bin/python")
}
