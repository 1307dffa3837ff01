//! The capture: what the sockets brought, written to disk before a plugin sees it, so that it can be decoded again.
//!
//! A segment is a file: `header` says what it is of, `framing` cuts it into checked records, `block` puts batches of frames
//! into them. Sessions hand their batches to the queue of `recorder`, whose thread writes segments and keeps the folder
//! within its bound by `shelf`. `reader` and `folder` read it all again; a torn tail costs only the tail.

mod block;
mod folder;
mod framing;
#[doc(hidden)]
pub mod fuzz;
mod handler;
mod header;
mod reader;
mod recorder;
mod segment;
mod shelf;

pub use block::Captured as CapturedBatch;
pub use folder::{Folder, Notes, Stream};
pub use handler::Captured;
pub use header::{MarketHeader, RequestHeader, SegmentHeader};
pub use reader::{NoCapture, SegmentReader};
pub use recorder::{CaptureStream, Recorder, Streams};
