//! REST: the answers of both exchanges, and the faults that can befall them.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::http::StatusCode;
use axum::response::Response;
use bytes::Bytes;
use futures_util::stream;

use crate::fault::RestFault;
use crate::options::Exchange;
use crate::shared::Shared;

pub(crate) mod trouble;

/// Pieces of a slow body.
const SLOW_PIECES: usize = 10;

/// Marks a response in whose place the connection ends.
#[derive(Clone, Copy, Debug)]
pub(crate) struct NoAnswer;

/// An answer before faults.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: String,
    pub(crate) headers: Vec<(&'static str, String)>,
}

impl Answer {
    /// A success.
    pub(crate) fn ok(body: impl Into<String>) -> Self {
        Self { status: 200, body: body.into(), headers: Vec::new() }
    }

    /// Any other answer.
    pub(crate) fn with_status(status: u16, body: impl Into<String>) -> Self {
        Self { status, body: body.into(), headers: Vec::new() }
    }

    pub(crate) fn with_header(mut self, name: &'static str, value: impl ToString) -> Self {
        self.headers.push((name, value.to_string()));
        self
    }
}

/// Counts the request, lets a fault take the place of the answer if one is due, and sends it.
pub(crate) fn respond(shared: &Arc<Shared>, answer: impl FnOnce() -> Answer) -> Response {
    let fault = shared.next_rest_fault();
    if fault.as_ref().is_some_and(|fault| fault.down) {
        let mut response = Response::new(Body::empty());
        response.extensions_mut().insert(NoAnswer);
        return response;
    }
    let answer = match fault.as_ref().and_then(|fault| fault.status.map(|status| (status, fault))) {
        Some((status, fault)) => refusal(shared.options.exchange, status, fault),
        None => answer(),
    };
    let body = match fault.and_then(|fault| fault.body_delay) {
        Some(delay) => slow_body(answer.body, delay),
        None => Body::from(answer.body),
    };
    let mut response = Response::new(body);
    *response.status_mut() = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let headers = answer.headers.into_iter().chain([("content-type", "application/json".to_owned())]);
    for (name, value) in headers {
        if let Ok(value) = value.parse() {
            response.headers_mut().insert(name, value);
        }
    }
    response
}

/// What an exchange says in place of an answer.
fn refusal(exchange: Exchange, status: u16, fault: &RestFault) -> Answer {
    let body = match (exchange, status) {
        (Exchange::Binance, 418) => {
            r#"{"code":-1003,"msg":"Way too much request weight used; IP banned. Please use WebSocket Streams for live updates to avoid bans."}"#
        }
        (Exchange::Binance, 429) => {
            r#"{"code":-1003,"msg":"Too much request weight used; current limit is 6000 request weight per 1 MINUTE. Please use WebSocket Streams for live updates to avoid polling the API."}"#
        }
        (Exchange::Binance, _) => r#"{"code":-1000,"msg":"An unknown error occurred while processing the request."}"#,
        // Kraken says most of its errors with a status of 200.
        (Exchange::Kraken, 200) => r#"{"error":["EAPI:Rate limit exceeded"]}"#,
        (Exchange::Kraken, 429) => r#"{"error":["EGeneral:Too many requests"]}"#,
        (Exchange::Kraken, _) => r#"{"error":["EService:Unavailable"]}"#,
    };
    let answer = Answer::with_status(status, body);
    match fault.retry_after {
        Some(seconds) => answer.with_header("retry-after", seconds),
        None => answer,
    }
}

/// The body in pieces with pauses before each.
fn slow_body(body: String, delay: Duration) -> Body {
    let pause = delay / SLOW_PIECES as u32;
    let size = body.len().div_ceil(SLOW_PIECES).max(1);
    let pieces: Vec<Bytes> = body.into_bytes().chunks(size).map(Bytes::copy_from_slice).collect();
    Body::from_stream(stream::unfold(pieces.into_iter(), move |mut pieces| async move {
        let piece = pieces.next()?;
        tokio::time::sleep(pause).await;
        Some((Ok::<_, Infallible>(piece), pieces))
    }))
}
