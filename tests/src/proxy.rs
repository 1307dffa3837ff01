//! A TCP proxy before a simulated exchange, by which single connections can be cut: the exchange's own faults befall all.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Context, Result};
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{AbortHandle, JoinHandle};

use crate::exchange::runtime;

/// A running proxy. Its connections go on when it is dropped; no new ones are taken.
#[derive(Debug)]
pub struct Proxy {
    port: u16,
    accepting: JoinHandle<()>,
    connections: Arc<Mutex<VecDeque<AbortHandle>>>,
}

impl Proxy {
    /// A proxy on a free port before a `ws://` url without a path.
    ///
    /// # Errors
    /// The url is none, or there is no free port.
    pub fn start(behind: &str) -> Result<Self> {
        let behind = behind.strip_prefix("ws://").context("the url is no ws:// one")?.to_owned();
        let listener = runtime().block_on(TcpListener::bind("127.0.0.1:0"))?;
        let port = listener.local_addr()?.port();
        let connections = Arc::<Mutex<VecDeque<AbortHandle>>>::default();
        let kept = Arc::clone(&connections);
        let accepting = runtime().spawn(async move {
            while let Ok((mut client, _)) = listener.accept().await {
                let behind = behind.clone();
                let task = tokio::spawn(async move {
                    if let Ok(mut server) = TcpStream::connect(behind).await {
                        let _ = copy_bidirectional(&mut client, &mut server).await;
                    }
                });
                kept.lock().unwrap_or_else(PoisonError::into_inner).push_back(task.abort_handle());
            }
        });
        Ok(Self { port, accepting, connections })
    }

    /// Base of WebSocket urls.
    pub fn websocket(&self) -> String {
        format!("ws://127.0.0.1:{}", self.port)
    }

    /// Cuts the connection that is open for longest, without a word.
    pub fn cut_oldest(&self) {
        let mut connections = self.connections.lock().unwrap_or_else(PoisonError::into_inner);
        connections.retain(|connection| !connection.is_finished());
        if let Some(oldest) = connections.pop_front() {
            oldest.abort();
        }
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}
