//! Tapedeck, as `tapedeck run` starts it with a configuration that says no more than it must.

use std::process::Command;

use anyhow::{Context, Result};

use super::{Client, Programs, Way};
use crate::load::form::Form;

/// Tapedeck with one feed.
#[derive(Debug, Clone)]
pub struct Tapedeck {
    programs: Programs,
    form: Form,
}

impl Tapedeck {
    /// With a feed from this exchange.
    #[must_use]
    pub fn new(programs: &Programs, form: Form) -> Self {
        Self { programs: programs.clone(), form }
    }
}

impl Client for Tapedeck {
    fn name(&self) -> String {
        "Tapedeck".to_owned()
    }

    fn form(&self) -> Option<Form> {
        Some(self.form)
    }

    fn command(&self, way: &Way<'_>) -> Result<Command> {
        let (plugin, market) = match self.form {
            Form::BinanceTrade | Form::BinanceAggTrade => ("binance", "ETH/USDT"),
            Form::Kraken => ("kraken", "ETH/USD"),
        };
        let Way { brokers, prefix, folder, .. } = way;
        let endpoint = way.endpoint();
        // Compiled plugins are kept from run to run, as they are between starts of a host.
        let cache = folder.parent().unwrap_or(folder).join("compiled");
        let listen = format!("127.0.0.1:{}", xtask::stack::ports::free()?);
        let text = format!(
            "version = 1\n\n\
             [plugins]\nfolder = {:?}\ncache = {cache:?}\n\n\
             [kafka]\nbrokers = {brokers:?}\ntopic_prefix = {prefix:?}\n\n\
             [http]\nlisten = {listen:?}\n\n\
             [[feed]]\nplugin = {plugin:?}\nmarkets = [{market:?}]\nendpoint = {endpoint:?}\n\
             rest_endpoint = \"http://127.0.0.1:1\"\nallow_plain = true\n",
            self.programs.plugins,
        );
        let file = folder.join("tapedeck.toml");
        std::fs::write(&file, text).with_context(|| format!("{} cannot be written", file.display()))?;
        let mut command = Command::new(self.programs.programs.join("tapedeck"));
        command.arg("run").arg("--config").arg(file).env_remove("TAPEDECK_LOG");
        Ok(command)
    }

    fn is_required(&self) -> bool {
        true
    }
}
