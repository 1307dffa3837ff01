//! The host's view of a plugin: from the functions of the world to those of the trait, with the state of the session between.

use crate::{
    Batch, Decoded, Description, Frames, Gap, HttpRequest, HttpResponse, OpenError, OpenRequest, Output, Page, Plugin,
    Reason, SessionPlan,
};

/// A plugin's instance: its session, once it was opened. `register!` makes one; native tests make as many as they like.
#[derive(Debug)]
pub struct Session<P> {
    plugin: Option<P>,
}

impl<P: Plugin> Session<P> {
    /// An instance that was not opened yet.
    #[must_use]
    pub const fn new() -> Self {
        Self { plugin: None }
    }

    /// What the plugin says of itself.
    #[must_use]
    pub fn describe() -> Description {
        P::describe()
    }

    /// Opens a session, in place of the one before. After an error there is none.
    ///
    /// # Errors
    ///
    /// The plugin's refusal, or a sentence if its plan does not spell each market.
    pub fn open(&mut self, request: &OpenRequest) -> Result<SessionPlan, OpenError> {
        self.plugin = None;
        let (plugin, plan) = P::open(request)?;
        if plan.symbols.len() != request.markets.len() {
            let (symbols, markets) = (plan.symbols.len(), request.markets.len());
            return Err(OpenError::new(format!(
                "the plugin spelled {symbols} symbols for {markets} markets: a fault of the plugin"
            )));
        }
        self.plugin = Some(plugin);
        Ok(plan)
    }

    /// Decodes a batch.
    ///
    /// # Errors
    ///
    /// The plugin's refusal of the whole batch; a sentence before `open`, or for a batch whose offsets make no sense.
    pub fn decode(&mut self, batch: &Batch) -> Result<Decoded, String> {
        let plugin = self.opened()?;
        let frames = Frames::new(batch)?;
        let mut out = Output::with_capacity(frames.len());
        plugin.decode(frames, &mut out)?;
        Ok(out.finish())
    }

    /// The request for a gap's first page.
    ///
    /// # Errors
    ///
    /// The plugin's refusal, or a sentence before `open`.
    pub fn backfill(&mut self, gap: &Gap) -> Result<HttpRequest, String> {
        Ok(self.opened()?.backfill(gap)?)
    }

    /// Decodes a page of a backfill.
    ///
    /// # Errors
    ///
    /// The plugin's refusal, or a sentence before `open`.
    pub fn decode_backfill(
        &mut self,
        gap: &Gap,
        request: &HttpRequest,
        response: &HttpResponse,
    ) -> Result<Page, String> {
        Ok(self.opened()?.decode_backfill(gap, request, response)?)
    }

    fn opened(&mut self) -> Result<&mut P, Reason> {
        self.plugin.as_mut().ok_or(Reason::Borrowed("the session is not open: `open` comes first, and must succeed"))
    }
}

impl<P: Plugin> Default for Session<P> {
    fn default() -> Self {
        Self::new()
    }
}
