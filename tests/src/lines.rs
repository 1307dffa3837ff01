//! A WebSocket server that says what it is told to: for plugins that misbehave, whose feed is lines of text.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use anyhow::Result;
use futures_util::{SinkExt as _, StreamExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio_tungstenite::tungstenite::Message;

use crate::exchange::runtime;

/// A frame, and how long nothing is sent behind it.
pub type Line = (Vec<u8>, Duration);

/// A server with a script: each frame is sent once, to whichever connection is there.
#[derive(Debug)]
pub struct Lines {
    address: SocketAddr,
    script: Arc<Script>,
    task: JoinHandle<()>,
}

#[derive(Debug)]
struct Script {
    frames: Vec<Line>,
    next: AtomicUsize,
    connections: AtomicUsize,
}

impl Lines {
    /// Starts it. A connection gets the confirmation of its first subscription, and then the script from where the
    /// connection before it ended.
    ///
    /// # Errors
    /// There is no free port.
    pub fn start(frames: Vec<Line>) -> Result<Self> {
        let listener = runtime().block_on(TcpListener::bind("127.0.0.1:0"))?;
        let address = listener.local_addr()?;
        let script = Arc::new(Script { frames, next: AtomicUsize::new(0), connections: AtomicUsize::new(0) });
        let task = runtime().spawn(accept(listener, Arc::clone(&script)));
        Ok(Self { address, script, task })
    }

    /// Base of its url.
    pub fn websocket(&self) -> String {
        format!("ws://{}", self.address)
    }

    /// How many connections it ever had.
    pub fn connections(&self) -> usize {
        self.script.connections.load(Ordering::Relaxed)
    }

    /// Whether the whole script was sent.
    pub fn is_finished(&self) -> bool {
        self.script.next.load(Ordering::Relaxed) >= self.script.frames.len()
    }
}

impl Drop for Lines {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn accept(listener: TcpListener, script: Arc<Script>) {
    // Bounded by the connections that one host makes, one after the other.
    while let Ok((stream, _)) = listener.accept().await {
        script.connections.fetch_add(1, Ordering::Relaxed);
        tokio::spawn(serve(stream, Arc::clone(&script)));
    }
}

/// Serves one connection; whatever goes wrong with it, the next goes on with the script.
async fn serve(stream: TcpStream, script: Arc<Script>) {
    let Ok(mut socket) = tokio_tungstenite::accept_async(stream).await else { return };
    let Some(Ok(Message::Text(first))) = socket.next().await else { return };
    let confirmation = first.replace("SUBSCRIBE,", "SUBSCRIBED,");
    if socket.send(Message::text(confirmation)).await.is_err() {
        return;
    }
    loop {
        let index = script.next.fetch_add(1, Ordering::Relaxed);
        let Some((frame, pause)) = script.frames.get(index) else { break };
        if socket.send(Message::binary(frame.clone())).await.is_err() {
            return;
        }
        tokio::time::sleep(*pause).await;
    }
    // Kept open until the host closes it.
    while let Some(Ok(_)) = socket.next().await {}
}
