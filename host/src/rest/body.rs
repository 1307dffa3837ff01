//! Reading a body within limits: of bytes, before and after decompression, and of the time without any.

use std::io::Read as _;
use std::time::Duration;

use bytes::Bytes;
use http::HeaderMap;
use http::header::CONTENT_ENCODING;
use http_body_util::BodyExt as _;
use hyper::body::{Body, Incoming};
use tokio::time::timeout;

use super::error::RestError;
use crate::session::chain;

/// The whole body, decompressed.
pub(super) async fn read(
    url: &str,
    headers: &HeaderMap,
    mut body: Incoming,
    limit: usize,
    idle: Duration,
) -> Result<Vec<u8>, RestError> {
    let too_large = || RestError::permanent(format!("the answer of {url} has more than {limit} bytes"));
    if body.size_hint().lower() > limit as u64 {
        return Err(too_large());
    }
    let mut read: Vec<u8> = Vec::new();
    loop {
        let part: Bytes = match timeout(idle, body.frame()).await {
            Ok(None) => break,
            Ok(Some(Ok(frame))) => frame.into_data().unwrap_or_default(),
            Ok(Some(Err(error))) => {
                return Err(RestError::transient(format!("the answer of {url} broke off: {}", chain(&error))));
            }
            Err(_) => {
                let seconds = idle.as_secs_f32();
                return Err(RestError::transient(format!("the answer of {url} came to a stop for {seconds} s")));
            }
        };
        if part.len() > limit - read.len() {
            return Err(too_large());
        }
        read.extend_from_slice(&part);
    }
    match encoding(headers).as_deref() {
        None | Some("identity") => Ok(read),
        Some("gzip" | "x-gzip") => unpack(url, read, limit).await?.ok_or_else(too_large),
        Some(other) => {
            let other = crate::plugin::bounded_escaped(other, 80);
            Err(RestError::permanent(format!("the answer of {url} is encoded as {other}, which was not asked for")))
        }
    }
}

/// What the body is encoded as; several encodings count as one that is not known.
fn encoding(headers: &HeaderMap) -> Option<String> {
    let values: Vec<_> =
        headers.get_all(CONTENT_ENCODING).iter().map(|value| String::from_utf8_lossy(value.as_bytes())).collect();
    let text = values.join(", ").trim().to_ascii_lowercase();
    (!text.is_empty()).then_some(text)
}

/// Unpacks gzip, off the threads that serve sockets; none if there is more of it than the limit. No more than that is ever
/// held.
async fn unpack(url: &str, packed: Vec<u8>, limit: usize) -> Result<Option<Vec<u8>>, RestError> {
    let unpacking = tokio::task::spawn_blocking(move || {
        let mut unpacked = Vec::new();
        let most = u64::try_from(limit).unwrap_or(u64::MAX).saturating_add(1);
        flate2::read::MultiGzDecoder::new(packed.as_slice()).take(most).read_to_end(&mut unpacked).map(|_| unpacked)
    });
    match unpacking.await {
        Ok(Ok(unpacked)) if unpacked.len() > limit => Ok(None),
        Ok(Ok(unpacked)) => Ok(Some(unpacked)),
        Ok(Err(error)) => Err(RestError::transient(format!("the answer of {url} is no whole gzip: {error}"))),
        Err(error) => Err(RestError::transient(format!("the answer of {url} could not be unpacked: {error}"))),
    }
}
