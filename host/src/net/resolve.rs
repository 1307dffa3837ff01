//! From a host to addresses that may be reached. Who connects takes these and asks no second time, so that a name server
//! cannot answer the check with one address and the connection with another.

use std::net::{IpAddr, SocketAddr};

use super::AllowedHosts;

/// The addresses of a host that may be reached, at least one.
///
/// # Errors
/// A sentence: the name does not resolve, or to addresses only that the feed may not reach.
pub async fn resolve(host: &str, port: u16, allowed: &AllowedHosts) -> Result<Vec<SocketAddr>, String> {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    let addresses = match bare.parse::<IpAddr>() {
        Ok(address) => vec![SocketAddr::new(address, port)],
        Err(_) => match tokio::net::lookup_host((bare, port)).await {
            Ok(addresses) => addresses.collect(),
            Err(error) => return Err(format!("{bare} has no address: {error}")),
        },
    };
    allowed.pick(bare, addresses)
}
