//! The one trait that a plugin implements.

use crate::{
    Description, Frame, Frames, Gap, HttpRequest, HttpResponse, OpenError, OpenRequest, Output, Page, Reason,
    SessionPlan,
};

/// A plugin, and at the same time the state of one of its sessions.
///
/// The host calls the functions one at a time. `open` makes the value that the other functions work on; the next `open`
/// (a reconnect) drops it and makes another, so nothing of one connection leaks into the next. A call that needs a session
/// before the first successful `open` is answered with an error by the SDK.
///
/// A plugin is a function of its input: it has no clock, no randomness and no network. What it cannot understand it
/// refuses with a [`Reason`]; it should never panic, which costs the host a new instance and the batch a retry.
pub trait Plugin: Sized + 'static {
    /// Says what the plugin is. Always the same answer.
    fn describe() -> Description;

    /// Plans one connection for the markets of the request, and makes the state that decodes its frames.
    ///
    /// # Errors
    ///
    /// A sentence that the user can act on, with the index of the market where one market is at fault.
    fn open(request: &OpenRequest) -> Result<(Self, SessionPlan), OpenError>;

    /// Decodes one frame: pushes its trades and events to `out`.
    ///
    /// # Errors
    ///
    /// A reason refuses the frame, which then goes to the dead letters with its exact bytes. Trades and events that were
    /// pushed for it before the error are kept, so that a bad row costs no good one; a plugin that wants all or nothing
    /// calls [`Output::discard`] first.
    fn decode_frame(&mut self, frame: Frame<'_>, out: &mut Output) -> Result<(), Reason>;

    /// Decodes a batch. The default calls [`decode_frame`](Plugin::decode_frame) for each frame, in order.
    ///
    /// # Errors
    ///
    /// A reason refuses the whole batch; nothing of `out` is used then.
    fn decode(&mut self, frames: Frames<'_>, out: &mut Output) -> Result<(), Reason> {
        for frame in frames {
            out.begin(frame.index);
            if let Err(reason) = self.decode_frame(frame, out) {
                out.refuse(reason);
            }
        }
        Ok(())
    }

    /// The request for the first page of what is missing.
    ///
    /// # Errors
    ///
    /// A sentence that says why there is none. The default says that the plugin has no backfill.
    fn backfill(&mut self, gap: &Gap) -> Result<HttpRequest, Reason> {
        let _ = gap;
        Err(NO_BACKFILL.into())
    }

    /// Decodes a page: the answer to a request for this gap.
    ///
    /// # Errors
    ///
    /// A sentence that says why the whole answer is of no use; a single row of no use belongs in the page's refusals.
    /// The default says that the plugin has no backfill.
    fn decode_backfill(&mut self, gap: &Gap, request: &HttpRequest, response: &HttpResponse) -> Result<Page, Reason> {
        let _ = (gap, request, response);
        Err(NO_BACKFILL.into())
    }
}

const NO_BACKFILL: &str =
    "this plugin has no backfill: its exchange offers no past trades, or the plugin does not ask for them";
