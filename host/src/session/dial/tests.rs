//! Dialling servers that are not what they should be.

use futures_util::StreamExt as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{RootCertStore, ServerConfig};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use tokio_tungstenite::accept_hdr_async;
use tokio_tungstenite::tungstenite::handshake::server::{Request, Response};
use tokio_tungstenite::tungstenite::http::HeaderValue;

use super::*;
use crate::net::HostRules;

/// A server that does this with its connections, each after some bytes of the request.
async fn serve<F>(act: impl Fn(TcpStream) -> F + Send + 'static) -> u16
where
    F: Future<Output = ()> + Send + 'static,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(act(stream));
        }
    });
    port
}

async fn serve_bytes(bytes: impl Into<Vec<u8>>) -> u16 {
    let bytes = bytes.into();
    serve(move |mut stream| {
        let bytes = bytes.clone();
        async move {
            let mut asked = [0; 4096];
            let _ = stream.read(&mut asked).await;
            let _ = stream.write_all(&bytes).await;
            let _ = stream.shutdown().await;
        }
    })
    .await
}

/// A WebSocket server that adds a header to its handshake and sends some bytes behind it.
async fn serve_websocket(extension: Option<&'static str>, behind: &'static [u8]) -> u16 {
    serve(move |stream| async move {
        #[expect(clippy::result_large_err, reason = "the callback's type")]
        let answer = |request: &Request, mut response: Response| {
            assert!(!request.headers().contains_key(SEC_WEBSOCKET_EXTENSIONS), "{request:?}");
            if let Some(extension) = extension {
                response.headers_mut().insert(SEC_WEBSOCKET_EXTENSIONS, HeaderValue::from_static(extension));
            }
            Ok(response)
        };
        let Ok(mut socket) = accept_hdr_async(stream, answer).await else { return };
        socket.get_mut().write_all(behind).await.unwrap();
        while let Some(Ok(_)) = socket.next().await {}
    })
    .await
}

fn endpoint(base: &str) -> AllowedHosts {
    AllowedHosts::new(&HostRules { endpoint: Some(base), allow_plain: true, ..HostRules::default() }).unwrap()
}

async fn dial_port(port: u16) -> Result<Socket, String> {
    let url = format!("ws://127.0.0.1:{port}");
    Dialer::new(1 << 16).unwrap().reaching(endpoint(&url)).dial(&url).await
}

async fn refusal(port: u16) -> String {
    match dial_port(port).await {
        Ok(_) => panic!("it was taken"),
        Err(sentence) => sentence,
    }
}

#[tokio::test]
async fn redirects_are_not_followed() {
    let elsewhere = serve_websocket(None, b"").await;
    for status in [301, 302, 307, 308] {
        let answer =
            format!("HTTP/1.1 {status} Moved\r\nlocation: ws://127.0.0.1:{elsewhere}/\r\ncontent-length: 0\r\n\r\n");
        let sentence = refusal(serve_bytes(answer).await).await;
        assert_eq!(sentence, format!("it answered with status {} in place of a WebSocket", status_text(status)));
    }
    assert!(dial_port(elsewhere).await.is_ok());
}

fn status_text(status: u16) -> String {
    tokio_tungstenite::tungstenite::http::StatusCode::from_u16(status).unwrap().to_string()
}

#[tokio::test]
async fn headers_of_the_handshake_have_a_bound() {
    let long = format!("HTTP/1.1 101 Switching Protocols\r\nx: {}\r\n\r\n", "y".repeat(100 << 10));
    let many = format!("HTTP/1.1 101 Switching Protocols\r\n{}\r\n", "x: y\r\n".repeat(200));
    for answer in [long, many] {
        let sentence = refusal(serve_bytes(answer).await).await;
        assert!(!sentence.is_empty() && sentence.len() < 300, "{sentence}");
    }
}

#[tokio::test]
async fn compression_is_neither_offered_nor_taken() {
    let sentence = refusal(serve_websocket(Some("permessage-deflate"), b"").await).await;
    assert_eq!(sentence, "it speaks an extension of WebSocket that was not asked for");
    // A text of two bytes whose first reserved bit says that it is compressed.
    let mut socket = dial_port(serve_websocket(None, b"\xc1\x02ab").await).await.unwrap();
    let error = socket.next().await.unwrap().unwrap_err().to_string();
    assert!(error.contains("Reserved bits"), "{error}");
}

#[tokio::test]
async fn a_frame_ends_its_connection_by_the_size_that_it_announces() {
    // 2 TiB, of which nothing follows.
    let announced = b"\x82\x7f\x00\x00\x02\x00\x00\x00\x00\x00";
    let mut socket = dial_port(serve_websocket(None, announced).await).await.unwrap();
    let error = socket.next().await.unwrap().unwrap_err().to_string();
    assert!(error.contains("too long"), "{error}");
    // Four fragments, each within the bound and together beyond.
    let fragments: Vec<u8> = [0x02, 0, 0, 0]
        .into_iter()
        .flat_map(|first| [&[first, 126, 0x7f, 0xff][..], &vec![0; 0x7fff]].concat())
        .collect();
    let mut socket = dial_port(serve_websocket(None, fragments.leak()).await).await.unwrap();
    let error = socket.next().await.unwrap().unwrap_err().to_string();
    assert!(error.contains("too long"), "{error}");
}

#[tokio::test]
async fn only_allowed_hosts_and_addresses_are_reached() {
    let port = serve_websocket(None, b"").await;
    let localhost = ["localhost".to_owned()];
    let address = ["127.0.0.1".to_owned()];
    let declares = |declared| HostRules { declared, allow_plain: true, ..HostRules::default() };
    for (host, rules, wrong) in [
        ("localhost", declares(&localhost), Some("a loopback address, which no feed reaches unless")),
        ("127.0.0.1", declares(&address), Some("a loopback address")),
        ("127.0.0.1", declares(&localhost), Some("on none of its own hosts (localhost)")),
        ("localhost", HostRules { allow_private: true, ..declares(&localhost) }, None),
        ("localhost", HostRules { added: &localhost, ..declares(&[]) }, Some("a loopback address")),
        ("127.0.0.1", HostRules { added: &address, ..declares(&[]) }, None),
        ("127.0.0.1", HostRules::default(), Some("without TLS")),
        ("[::ffff:127.0.0.1]", declares(&["::ffff:127.0.0.1".to_owned()]), Some("a loopback address")),
    ] {
        let dialer = Dialer::new(1 << 16).unwrap().reaching(AllowedHosts::new(&rules).unwrap());
        match (dialer.dial(&format!("ws://{host}:{port}/")).await, wrong) {
            (Ok(_), None) => {}
            (Err(sentence), Some(part)) => assert!(sentence.contains(part), "{host} {rules:?}: {sentence}"),
            (result, _) => panic!("{host} {rules:?}: {:?}", result.map(|_| ())),
        }
    }
    let sentence = Dialer::new(1 << 16).unwrap().dial("wss://stream.example.com/").await.map(|_| ()).unwrap_err();
    assert!(sentence.contains("on none of its own hosts"), "{sentence}");
}

#[tokio::test]
async fn a_self_signed_certificate_is_refused() {
    let certificate = CertificateDer::from(include_bytes!("../../rest/client/tests/localhost.crt.der").as_slice());
    let key = PrivateKeyDer::Pkcs8(include_bytes!("../../rest/client/tests/localhost.key.der").as_slice().into());
    let config = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.clone()], key)
        .unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let port = serve(move |stream| {
        let acceptor = acceptor.clone();
        async move {
            let Ok(stream) = acceptor.accept(stream).await else { return };
            let Ok(mut socket) = tokio_tungstenite::accept_async(stream).await else { return };
            while let Some(Ok(_)) = socket.next().await {}
        }
    })
    .await;
    let url = format!("wss://localhost:{port}");
    let strict = Dialer::new(1 << 16).unwrap().reaching(endpoint(&url));
    let sentence = strict.dial(&url).await.map(|_| ()).unwrap_err();
    assert!(sentence.contains("UnknownIssuer"), "{sentence}");
    let mut roots = RootCertStore::empty();
    roots.add(certificate).unwrap();
    let trusting = Dialer { tls: Arc::new(net::trusting(roots).unwrap()), ..strict };
    assert!(trusting.dial(&url).await.is_ok());
}
