//! The exchange's end of the socket: one client, its handshake and its subscription.

use std::io::Read;
use std::net::{TcpListener, TcpStream};
use std::thread;

use anyhow::{Context, Result, anyhow};
use tokio_tungstenite::tungstenite::handshake::server::{ErrorResponse, Request, Response};
use tokio_tungstenite::tungstenite::{Message, accept_hdr};

use super::form::Form;

/// Accepts one client and returns its socket once it has subscribed: by a message, or by the streams in its url.
///
/// # Errors
/// The client is gone before.
pub fn accept(listener: &TcpListener, form: Form) -> Result<TcpStream> {
    let (stream, _) = listener.accept().context("no client can be accepted")?;
    stream.set_nodelay(true)?;
    let mut by_url = false;
    // The error's type is the library's.
    #[expect(clippy::result_large_err)]
    let look = |request: &Request, response: Response| -> Result<Response, ErrorResponse> {
        by_url = request.uri().query().is_some_and(|query| query.contains("streams="));
        Ok(response)
    };
    let mut socket = accept_hdr(stream, look).map_err(|error| anyhow!("a client's handshake failed: {error}"))?;
    if !by_url {
        let answer = loop {
            let message = socket.read().context("the client left before it subscribed")?;
            if let Some(answer) = message.to_text().ok().and_then(|text| form.answer(text)) {
                break answer;
            }
        };
        socket.send(Message::text(answer)).context("the client left before it was answered")?;
    }
    let stream = socket.get_ref().try_clone()?;
    discard(stream.try_clone()?);
    Ok(stream)
}

/// Reads whatever else the client sends, so that it never waits for us. Nothing of it needs an answer within a load's time.
fn discard(mut stream: TcpStream) {
    thread::spawn(move || {
        let mut bytes = [0; 16 << 10];
        while stream.read(&mut bytes).is_ok_and(|count| count > 0) {}
    });
}
