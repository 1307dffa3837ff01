//! TLS of every connection to an exchange: rustls, with servers verified against Mozilla's roots.

use std::sync::Arc;

use rustls::{ClientConfig, RootCertStore};

/// A client's TLS that trusts Mozilla's roots.
///
/// # Errors
/// The TLS library does not work.
pub fn client_config() -> Result<ClientConfig, rustls::Error> {
    trusting(webpki_roots::TLS_SERVER_ROOTS.iter().cloned().collect())
}

/// A client's TLS that trusts these roots.
pub(crate) fn trusting(roots: RootCertStore) -> Result<ClientConfig, rustls::Error> {
    let config = ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(config)
}
