//! Where a url leads: the host is held to what another reader of urls makes of them.

use std::net::IpAddr;

use tapedeck::plugin::fuzz::Feed;
use url::{Host, Url};

use super::is_obeyed;

/// Checks a url that the host took for a feed, of one of two schemes, the first without TLS.
pub(super) fn check_url(url: &str, [plain, secure]: [&str; 2], endpoint: Option<&str>, feed: &Feed) {
    assert!(url.len() <= 32 << 10 && !url.chars().any(is_obeyed), "{url:?}");
    let request = &feed.request;
    let Ok(read) = Url::parse(url) else { return };
    assert!(read.scheme() == secure || (read.scheme() == plain && request.allow_plain), "{url:?}");
    assert!(read.username().is_empty() && read.password().is_none(), "{url:?}");
    let Some(host) = read.host() else { panic!("no host: {url:?}") };
    let endpoint = match endpoint.map(Url::parse).transpose() {
        Ok(endpoint) => endpoint,
        // What the user has written there is read in one way only.
        Err(_) => return,
    };
    let origin =
        |url: &Url| (url.scheme().to_owned(), url.host().map(|host| host.to_owned()), url.port_or_known_default());
    let is_endpoint = endpoint.as_ref().is_some_and(|endpoint| origin(endpoint) == origin(&read));
    let declared = if endpoint.is_some() { &[] } else { feed.hosts.as_slice() };
    let leads_there = |allowed: &String| leads_to(allowed, secure, &host);
    assert!(is_endpoint || declared.iter().chain(&request.hosts).any(leads_there), "{url:?} of {feed:?}");
    let vouched = is_endpoint || request.allow_private || request.hosts.iter().any(leads_there);
    let is_inside = matches!(host, Host::Ipv4(address) if address.is_private() || address.is_loopback());
    assert!(vouched || !is_inside, "{url:?} of {feed:?}");
}

/// Whether a host that a feed may reach is this one.
fn leads_to(allowed: &str, secure: &str, host: &Host<&str>) -> bool {
    let bare = allowed.trim_start_matches('[').trim_end_matches(']');
    let written = match bare.parse() {
        Ok(IpAddr::V6(address)) => format!("{secure}://[{address}]/"),
        _ => format!("{secure}://{bare}/"),
    };
    Url::parse(&written).is_ok_and(|url| url.host().as_ref() == Some(host))
}
