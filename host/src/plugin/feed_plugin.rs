//! What a feed needs of a plugin, whatever runs it.

use std::sync::Arc;

use super::backfill::{Gap, HttpRequest, HttpResponse, Page};
use super::decoded::Decoded;
use super::description::Description;
use super::error::{BackfillFailure, OpenFailure};
use super::instance::Instance;
use super::loaded::Plugin;
use super::open::OpenRequest;
use super::plan::SessionPlan;
use crate::frames::FrameBatch;

/// A plugin, as a feed sees it.
pub trait FeedPlugin: Send + Sync + 'static {
    /// What it says of itself, checked.
    fn description(&self) -> &Description;

    /// SHA-256 of its file, in hexadecimal.
    fn digest(&self) -> &str;

    /// Makes an instance and lets it plan one connection. The instance serves that connection.
    ///
    /// # Errors
    /// The plugin refuses, crashes, or gives a plan that can't be used.
    fn instance(self: Arc<Self>, request: OpenRequest) -> Result<(Box<dyn FeedInstance>, SessionPlan), OpenFailure>;
}

/// An instance of a plugin, as a feed sees it.
pub trait FeedInstance: Send + Sync {
    /// Decodes a batch into `out`, which is cleared first. Never fails: each frame has given its trades and events, or
    /// nothing because there is nothing in it, or is refused with a reason.
    fn decode(&mut self, batch: &FrameBatch, received_at_us: i64, out: &mut Decoded);

    /// The request for a gap's first page.
    ///
    /// # Errors
    /// The plugin refuses or crashes, or its request leads where it may not go.
    fn backfill(&mut self, gap: &Gap) -> Result<HttpRequest, BackfillFailure>;

    /// Decodes a page: the response to a request for this gap.
    ///
    /// # Errors
    /// The plugin refuses the whole page or crashes, or its answer makes no sense.
    fn decode_backfill(
        &mut self,
        gap: &Gap,
        request: &HttpRequest,
        response: &HttpResponse,
    ) -> Result<Page, BackfillFailure>;
}

impl FeedPlugin for Plugin {
    fn description(&self) -> &Description {
        self.description()
    }

    fn digest(&self) -> &str {
        self.digest()
    }

    fn instance(self: Arc<Self>, request: OpenRequest) -> Result<(Box<dyn FeedInstance>, SessionPlan), OpenFailure> {
        let (instance, plan) = self.open(request)?;
        Ok((Box::new(instance), plan))
    }
}

impl FeedInstance for Instance {
    fn decode(&mut self, batch: &FrameBatch, received_at_us: i64, out: &mut Decoded) {
        self.decode(batch, received_at_us, out);
    }

    fn backfill(&mut self, gap: &Gap) -> Result<HttpRequest, BackfillFailure> {
        self.backfill(gap)
    }

    fn decode_backfill(
        &mut self,
        gap: &Gap,
        request: &HttpRequest,
        response: &HttpResponse,
    ) -> Result<Page, BackfillFailure> {
        self.decode_backfill(gap, request, response)
    }
}
