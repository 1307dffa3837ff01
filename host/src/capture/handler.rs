//! A session's handler, with a capture in front of it.

use super::recorder::CaptureStream;
use crate::frames::FrameBatch;
use crate::session::{FrameHandler, Plan, Reaction};

/// Hands every batch to the capture, if there is one, and then to the handler within.
pub struct Captured<H> {
    handler: H,
    stream: Option<CaptureStream>,
}

impl<H> Captured<H> {
    /// Puts a stream of the capture in front of a handler.
    pub fn new(handler: H, stream: Option<CaptureStream>) -> Self {
        Self { handler, stream }
    }
}

impl<H: FrameHandler> FrameHandler for Captured<H> {
    fn open(&mut self) -> Result<Plan, String> {
        let plan = self.handler.open()?;
        if let Some(stream) = &mut self.stream {
            stream.opened();
        }
        Ok(plan)
    }

    async fn frames(&mut self, batch: &FrameBatch, received_at_us: i64) -> Reaction {
        if let Some(stream) = &mut self.stream {
            stream.record(batch, received_at_us);
        }
        self.handler.frames(batch, received_at_us).await
    }

    async fn broken(&mut self, frame: &[u8], reason: &str, received_at_us: i64) {
        self.handler.broken(frame, reason, received_at_us).await;
    }
}
