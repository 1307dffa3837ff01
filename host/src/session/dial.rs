//! Dialling: TCP to an address that the feed may reach, TLS by rustls, and the WebSocket handshake.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use rustls::ClientConfig;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Error;
use tokio_tungstenite::tungstenite::http::Uri;
use tokio_tungstenite::tungstenite::http::header::SEC_WEBSOCKET_EXTENSIONS;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::{Connector, MaybeTlsStream, WebSocketStream, client_async_tls_with_config};

use crate::net::{self, AllowedHosts};

#[cfg(test)]
mod memory;
mod transport;

#[cfg(test)]
pub(crate) use memory::{Network, Pipe, Watch};
pub(super) use transport::Transport;

/// A connected WebSocket.
pub(super) type Socket = WebSocketStream<MaybeTlsStream<Transport>>;

/// How long DNS, TCP, TLS and handshake may take together.
const PATIENCE: Duration = Duration::from_secs(15);
/// How long one of several addresses may take to answer.
const PATIENCE_OF_ADDRESS: Duration = Duration::from_secs(5);
const WEBSOCKET: [&str; 2] = ["ws", "wss"];

/// Makes connections; cheap to clone.
#[derive(Clone)]
pub struct Dialer {
    tls: Arc<ClientConfig>,
    websocket: WebSocketConfig,
    hosts: AllowedHosts,
    #[cfg(test)]
    network: Option<Network>,
}

impl std::fmt::Debug for Dialer {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Dialer")
            .field("websocket", &self.websocket)
            .field("hosts", &self.hosts)
            .finish_non_exhaustive()
    }
}

impl Dialer {
    /// A dialer whose connections end on a frame of more than `frame_bytes`. Servers are verified against Mozilla's roots. It
    /// reaches nothing until [`Dialer::reaching`] says what.
    ///
    /// # Errors
    /// The TLS library does not work.
    pub fn new(frame_bytes: usize) -> Result<Self, rustls::Error> {
        let tls = Arc::new(net::client_config()?);
        let websocket =
            WebSocketConfig::default().max_message_size(Some(frame_bytes)).max_frame_size(Some(frame_bytes));
        Ok(Self {
            tls,
            websocket,
            hosts: AllowedHosts::default(),
            #[cfg(test)]
            network: None,
        })
    }

    /// A dialer of the same kind that reaches these hosts.
    #[must_use]
    pub fn reaching(&self, hosts: AllowedHosts) -> Self {
        Self { hosts, ..self.clone() }
    }

    /// A dialer of the same kind that knows this network alone.
    #[cfg(test)]
    pub(crate) fn over(&self, network: Network) -> Self {
        Self { network: Some(network), ..self.clone() }
    }

    /// Connects. The error is the whole chain of causes in one sentence.
    pub(super) async fn dial(&self, url: &str) -> Result<Socket, String> {
        match timeout(PATIENCE, self.connect(url)).await {
            Ok(result) => result,
            Err(_) => Err(format!("no answer within {} s", PATIENCE.as_secs())),
        }
    }

    async fn connect(&self, url: &str) -> Result<Socket, String> {
        let uri: Uri = url.parse().map_err(|error| format!("the url is none: {error}"))?;
        self.hosts.check(&uri, WEBSOCKET)?;
        let host = uri.host().unwrap_or_default();
        let port = uri.port_u16().unwrap_or(if uri.scheme_str() == Some("ws") { 80 } else { 443 });
        let stream = self.reach(host, port).await?;
        let connector = Connector::Rustls(Arc::clone(&self.tls));
        let shaking = client_async_tls_with_config(url, stream, Some(self.websocket), Some(connector));
        let (socket, answer) = shaking.await.map_err(|error| match &error {
            // Redirects are not followed: where this one leads, nobody has allowed.
            Error::Http(answer) => format!("it answered with status {} in place of a WebSocket", answer.status()),
            _ => chain(&error),
        })?;
        // None is offered, permessage-deflate neither: a frame is as large as it says.
        if answer.headers().contains_key(SEC_WEBSOCKET_EXTENSIONS) {
            return Err("it speaks an extension of WebSocket that was not asked for".to_owned());
        }
        Ok(socket)
    }

    async fn reach(&self, host: &str, port: u16) -> Result<Transport, String> {
        #[cfg(test)]
        if let Some(network) = &self.network {
            return network().await.map(Transport::Memory);
        }
        let stream = connect_to_one_of(net::resolve(host, port, &self.hosts).await?).await?;
        stream.set_nodelay(true).map_err(|error| chain(&error))?;
        Ok(Transport::Tcp(stream))
    }
}

/// Connects to the first of some addresses that answers.
async fn connect_to_one_of(addresses: Vec<SocketAddr>) -> Result<TcpStream, String> {
    let mut reasons = Vec::new();
    for address in addresses {
        match timeout(PATIENCE_OF_ADDRESS, TcpStream::connect(address)).await {
            Ok(Ok(stream)) => return Ok(stream),
            Ok(Err(error)) => reasons.push(format!("{address}: {error}")),
            Err(_) => reasons.push(format!("{address}: no answer within {} s", PATIENCE_OF_ADDRESS.as_secs())),
        }
    }
    Err(reasons.join("; "))
}

/// An error and its causes, as one line.
pub fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        let inner_text = inner.to_string();
        if !text.contains(&inner_text) {
            text.push_str(": ");
            text.push_str(&inner_text);
        }
        cause = inner.source();
    }
    text
}

#[cfg(test)]
mod tests;
