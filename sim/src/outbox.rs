//! What is to be written to one connection: filled by the publisher once a tick, emptied by the connection's writer.

use std::io;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt, ReadBuf};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

/// Bytes for one connection, always whole frames. Bounded by its fillers: the publisher cuts the connection or waits
/// when more than the client's buffer is pending, and answers come at the pace of the client's own requests.
pub(crate) struct Outbox {
    state: Mutex<State>,
    /// Something is there to be written, or the outbox is closed.
    filled: Notify,
    /// Something was written: the publisher may be waiting for it.
    drained: Arc<Notify>,
    silent: AtomicBool,
}

#[derive(Default)]
struct State {
    buffer: Vec<u8>,
    being_written: usize,
    closed: bool,
}

impl Outbox {
    pub(crate) fn new(drained: Arc<Notify>) -> Self {
        Self { state: Mutex::default(), filled: Notify::new(), drained, silent: AtomicBool::new(false) }
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds whole frames, unless the connection is silent or closed, and returns how many bytes are pending.
    pub(crate) fn push(&self, frames: &[u8]) -> usize {
        let mut state = self.state();
        if !state.closed && !self.is_silent() {
            state.buffer.extend_from_slice(frames);
        }
        self.pending_and_notify(state)
    }

    /// The same for a whole tick's frames: `staging` is left empty.
    pub(crate) fn push_all(&self, staging: &mut Vec<u8>) -> usize {
        let mut state = self.state();
        if state.closed || self.is_silent() {
            staging.clear();
        } else if state.buffer.is_empty() {
            std::mem::swap(&mut state.buffer, staging);
        } else {
            state.buffer.append(staging);
        }
        self.pending_and_notify(state)
    }

    fn pending_and_notify(&self, state: std::sync::MutexGuard<'_, State>) -> usize {
        let pending = state.buffer.len() + state.being_written;
        drop(state);
        self.filled.notify_one();
        pending
    }

    /// Bytes that are not written yet.
    pub(crate) fn pending(&self) -> usize {
        let state = self.state();
        state.buffer.len() + state.being_written
    }

    /// Takes nothing more; what is pending is still written, and then the connection ends.
    pub(crate) fn close(&self) {
        self.state().closed = true;
        self.filled.notify_one();
    }

    /// A silent connection drops everything, as if the other end's network were gone.
    pub(crate) fn set_silent(&self, silent: bool) {
        self.silent.store(silent, Ordering::Relaxed);
    }

    pub(crate) fn is_silent(&self) -> bool {
        self.silent.load(Ordering::Relaxed)
    }

    /// Writes until the outbox is closed and empty, the socket fails, or the connection is cut.
    pub(crate) async fn write_to(&self, mut socket: OwnedWriteHalf, cut: &CancellationToken) {
        let mut batch = Vec::new();
        loop {
            {
                let mut state = self.state();
                batch.clear();
                std::mem::swap(&mut state.buffer, &mut batch);
                state.being_written = batch.len();
                if batch.is_empty() && state.closed {
                    break;
                }
            }
            let writing = async {
                if batch.is_empty() {
                    self.filled.notified().await;
                    return Ok(());
                }
                socket.write_all(&batch).await
            };
            let failed = tokio::select! {
                biased;
                () = cut.cancelled() => true,
                written = writing => written.is_err(),
            };
            self.state().being_written = 0;
            self.drained.notify_one();
            if failed {
                break;
            }
        }
        let mut state = self.state();
        state.closed = true;
        state.buffer = Vec::new();
        drop(state);
        self.drained.notify_one();
        cut.cancel();
    }
}

/// The socket as the WebSocket library sees it: it reads for itself, and what it writes (pongs, close frames) joins the
/// outbox, between whole frames.
pub(crate) struct SocketEnds {
    pub(crate) read: OwnedReadHalf,
    pub(crate) outbox: Arc<Outbox>,
}

impl AsyncRead for SocketEnds {
    fn poll_read(self: Pin<&mut Self>, context: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().read).poll_read(context, buffer)
    }
}

impl AsyncWrite for SocketEnds {
    fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        // The library hands over its whole buffer of whole frames, and all of it is taken: frames never mix.
        self.outbox.push(bytes);
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.outbox.close();
        Poll::Ready(Ok(()))
    }
}
