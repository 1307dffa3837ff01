//! One connection's plugin, fed with what was received before.

use std::sync::Arc;

use crate::frames::FrameBatch;
use crate::plugin::{Decoded, Instance, OpenFailure, OpenRequest, Plugin};
use crate::sink::record::RecordTemplate;
use crate::trade::{Instrument, Origin};

/// A plugin that is open for the markets of a connection. It decodes as a session does, and sends nothing to an exchange.
#[derive(Debug)]
pub struct Decoder {
    plugin: Arc<Plugin>,
    request: OpenRequest,
    instance: Instance,
    origin: Origin,
    template: RecordTemplate,
    is_broken: bool,
}

impl Decoder {
    /// Opens `plugin` for the markets of `request`; its trades are those of `exchange`.
    ///
    /// # Errors
    /// The plugin refuses the request or fails on it.
    pub fn open(plugin: &Arc<Plugin>, exchange: &str, request: &OpenRequest) -> Result<Self, OpenFailure> {
        let (instance, plan) = plugin.open(request.clone())?;
        let description = plugin.description();
        let instruments = request
            .markets
            .iter()
            .zip(plan.symbols)
            .map(|(market, symbol)| Instrument { canonical_symbol: market.name.clone(), symbol });
        let origin = Origin {
            exchange: exchange.to_owned(),
            kind: description.kind,
            plugin: description.name.clone(),
            plugin_version: description.version.clone(),
            instruments: instruments.collect(),
        };
        Ok(Self {
            template: RecordTemplate::new(&origin),
            plugin: Arc::clone(plugin),
            request: request.clone(),
            instance,
            origin,
            is_broken: false,
        })
    }

    /// Starts with a fresh instance, as for a new connection.
    ///
    /// # Errors
    /// The plugin does not open again.
    pub fn reopen(&mut self) -> Result<(), OpenFailure> {
        self.instance = self.plugin.open(self.request.clone())?.0;
        self.is_broken = false;
        Ok(())
    }

    /// Decodes a batch into `out`, which is cleared first. An instance that an earlier batch broke is replaced, as a session
    /// would by connecting again.
    ///
    /// # Errors
    /// The plugin does not open again.
    pub fn decode(&mut self, batch: &FrameBatch, received_at_us: i64, out: &mut Decoded) -> Result<(), OpenFailure> {
        if self.is_broken {
            self.reopen()?;
        }
        self.instance.decode(batch, received_at_us, out);
        self.is_broken = out.broken.is_some();
        Ok(())
    }

    /// The plugin.
    pub fn plugin(&self) -> &Arc<Plugin> {
        &self.plugin
    }

    /// What its trades share.
    pub fn origin(&self) -> &Origin {
        &self.origin
    }

    /// The layout of its records.
    pub fn template(&self) -> &RecordTemplate {
        &self.template
    }
}
