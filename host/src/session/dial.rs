//! Dialling: TCP, TLS by rustls, and the WebSocket handshake.

use std::sync::Arc;
use std::time::Duration;

use rustls::{ClientConfig, RootCertStore};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::http::Uri;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::{Connector, MaybeTlsStream, WebSocketStream, connect_async_tls_with_config};

/// A connected WebSocket.
pub(super) type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// How long DNS, TCP, TLS and handshake may take together.
const PATIENCE: Duration = Duration::from_secs(15);

/// Makes connections; cheap to clone.
#[derive(Clone)]
pub struct Dialer {
    tls: Arc<ClientConfig>,
    websocket: WebSocketConfig,
}

impl std::fmt::Debug for Dialer {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Dialer").field("websocket", &self.websocket).finish_non_exhaustive()
    }
}

impl Dialer {
    /// A dialer whose connections end on a frame of more than `frame_bytes`. Servers are verified against Mozilla's roots.
    ///
    /// # Errors
    /// The TLS library does not work.
    pub fn new(frame_bytes: usize) -> Result<Self, rustls::Error> {
        let roots: RootCertStore = webpki_roots::TLS_SERVER_ROOTS.iter().cloned().collect();
        let tls = ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .with_safe_default_protocol_versions()?
            .with_root_certificates(roots)
            .with_no_client_auth();
        let websocket =
            WebSocketConfig::default().max_message_size(Some(frame_bytes)).max_frame_size(Some(frame_bytes));
        Ok(Self { tls: Arc::new(tls), websocket })
    }

    /// Connects. The error is the whole chain of causes in one sentence.
    pub(super) async fn dial(&self, url: &str) -> Result<Socket, String> {
        let connector = Connector::Rustls(Arc::clone(&self.tls));
        let connecting = connect_async_tls_with_config(url, Some(self.websocket), true, Some(connector));
        match timeout(PATIENCE, connecting).await {
            Ok(Ok((socket, _response))) => Ok(socket),
            Ok(Err(error)) => Err(chain(&error)),
            Err(_) => Err(format!("no answer within {} s", PATIENCE.as_secs())),
        }
    }
}

/// Checks a WebSocket url: its scheme is `wss`, or `ws` where `allow_plain` permits it, and it names a host.
///
/// # Errors
/// A sentence that says what is wrong.
pub fn check_url(url: &str, allow_plain: bool) -> Result<(), String> {
    let parsed: Uri = url.parse().map_err(|error| format!("{url:?} is not a url: {error}"))?;
    match parsed.scheme_str() {
        Some("wss") => {}
        Some("ws") if allow_plain => {}
        Some("ws") => {
            return Err(format!("{url:?} is not encrypted; set `allow_plain = true` in the feed if that is intended"));
        }
        _ => return Err(format!("{url:?} must begin with wss:// or ws://")),
    }
    if parsed.host().is_none_or(str::is_empty) {
        return Err(format!("{url:?} names no host"));
    }
    Ok(())
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
mod tests {
    use super::check_url;

    #[test]
    fn plain_sockets_need_leave() {
        for (url, allow_plain, expected) in [
            ("wss://stream.example.com:9443/ws", false, None),
            ("ws://127.0.0.1:9001/ws", true, None),
            ("ws://127.0.0.1:9001/ws", false, Some("is not encrypted")),
            ("https://example.com", true, Some("must begin with wss:// or ws://")),
            ("wss:///path", true, Some("is not a url")),
            ("no url", true, Some("is not a url")),
        ] {
            match (check_url(url, allow_plain), expected) {
                (Ok(()), None) => {}
                (Err(sentence), Some(part)) => assert!(sentence.contains(part), "{url}: {sentence}"),
                (result, _) => panic!("{url}: {result:?}"),
            }
        }
    }
}
