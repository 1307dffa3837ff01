//! Servers that do not prove who they are.

use rustls::RootCertStore;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::TlsAcceptor;

use super::*;

/// A server with a certificate for `localhost` that nobody else has signed, valid for a hundred years.
async fn serve_self_signed() -> (SocketAddr, CertificateDer<'static>) {
    let certificate = CertificateDer::from(include_bytes!("localhost.crt.der").as_slice());
    let key = PrivateKeyDer::Pkcs8(include_bytes!("localhost.key.der").as_slice().into());
    let config = rustls::ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.clone()], key)
        .unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let acceptor = acceptor.clone();
            tokio::spawn(async move {
                let Ok(mut stream) = acceptor.accept(stream).await else { return };
                let mut asked = [0; 1024];
                let _ = stream.read(&mut asked).await;
                let _ = stream.write_all(&ok("", b"there")).await;
                let _ = stream.shutdown().await;
            });
        }
    });
    (address, certificate)
}

#[tokio::test]
async fn a_self_signed_certificate_is_refused() {
    let (server, certificate) = serve_self_signed().await;
    let mut roots = RootCertStore::empty();
    roots.add(certificate).unwrap();
    let trusting = RestClient::with_tls(limits(), crate::net::trusting(roots).unwrap());
    let strict = RestClient::new(limits()).unwrap();
    for (client, host, refusal) in [
        (&trusting, "localhost", None),
        (&strict, "localhost", Some("UnknownIssuer")),
        // The certificate is for a name, not for this address.
        (&trusting, "127.0.0.1", Some("not valid for name")),
    ] {
        let endpoint = format!("https://{host}:{}", server.port());
        let rules = HostRules { endpoint: Some(&endpoint), ..HostRules::default() };
        let request = HttpRequest { url: endpoint.clone(), headers: vec![], weight: 1 };
        let answer = client.get(&request, &AllowedHosts::new(&rules).unwrap()).await;
        match refusal {
            None => assert_eq!(answer.unwrap().body, b"there"),
            Some(part) => assert_fails(answer, false, part),
        }
    }
}
