//! The hosts that a feed may reach.

use std::collections::BTreeSet;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use http::Uri;

use super::address::not_public;
use crate::plugin::bounded_escaped;

/// What the hosts of a feed follow from.
#[derive(Clone, Copy, Debug, Default)]
pub struct HostRules<'a> {
    /// Base that the configuration puts in place of the exchange's own: the plugin's hosts do not count then.
    pub endpoint: Option<&'a str>,
    /// Hosts that the plugin declares.
    pub declared: &'a [String],
    /// Hosts that the configuration adds.
    pub added: &'a [String],
    /// Whether urls without TLS are accepted.
    pub allow_plain: bool,
    /// Whether private, loopback and such addresses may be reached by any of the names. What the configuration names itself
    /// as an address, or as endpoint, may be reached without.
    pub allow_private: bool,
}

/// The hosts that a feed may reach over one protocol, WebSocket or REST; none by default. Cheap to clone.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AllowedHosts(Arc<Rules>);

#[derive(Debug, Default, PartialEq, Eq)]
struct Rules {
    endpoint: Option<Origin>,
    hosts: BTreeSet<String>,
    /// Hosts that the user vouches for by having written them down.
    vouched: BTreeSet<String>,
    allow_plain: bool,
    allow_private: bool,
}

/// Scheme, host and port of a url.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Origin {
    scheme: String,
    host: String,
    port: u16,
}

impl AllowedHosts {
    /// The hosts by these rules.
    ///
    /// # Errors
    /// The endpoint is no url.
    pub fn new(rules: &HostRules<'_>) -> Result<Self, String> {
        let mut vouched: BTreeSet<String> =
            rules.added.iter().map(|host| plain_host(host)).filter(|host| host.parse::<IpAddr>().is_ok()).collect();
        let mut endpoint = None;
        if let Some(base) = rules.endpoint {
            let shown = bounded_escaped(base, 200);
            let uri: Uri = base.parse().map_err(|error| format!("the feed's endpoint {shown} is no url: {error}"))?;
            let origin = Origin::of(&uri).ok_or_else(|| format!("the feed's endpoint {shown} has no host"))?;
            vouched.insert(origin.host.clone());
            endpoint = Some(origin);
        }
        let declared = if endpoint.is_some() { &[] } else { rules.declared };
        let hosts = declared.iter().chain(rules.added).map(|host| plain_host(host)).collect();
        let (allow_plain, allow_private) = (rules.allow_plain, rules.allow_private);
        Ok(Self(Arc::new(Rules { endpoint, hosts, vouched, allow_plain, allow_private })))
    }

    /// Checks a url of one of two schemes, the first without TLS. What its host's name resolves to is checked when it is
    /// reached.
    ///
    /// # Errors
    /// What is wrong with it, words that follow "its url" or the like.
    pub fn check(&self, uri: &Uri, [plain, secure]: [&str; 2]) -> Result<(), String> {
        let rules = &*self.0;
        let shown = shown(uri);
        let scheme = uri.scheme_str().unwrap_or_default();
        if scheme != plain && scheme != secure {
            return Err(format!("{shown} does not begin with {secure}:// or {plain}://"));
        }
        if scheme == plain && !rules.allow_plain {
            return Err(format!("{shown} is without TLS; set `allow_plain = true` in the feed if that is meant"));
        }
        let Some(origin) = Origin::of(uri) else { return Err(format!("{shown} names no host")) };
        if uri.authority().is_some_and(|authority| authority.as_str().contains('@')) {
            return Err(format!("{shown} carries credentials"));
        }
        let is_endpoint = rules.endpoint.as_ref() == Some(&origin);
        if !is_endpoint && !rules.hosts.contains(&origin.host) {
            return Err(format!("{shown} is {}", self.expected()));
        }
        match origin.host.parse::<IpAddr>() {
            Ok(address) => self.check_address(&origin.host, address),
            Err(_) => Ok(()),
        }
    }

    /// Checks an address that a host has.
    ///
    /// # Errors
    /// A sentence that says what the address is, and what to do.
    pub fn check_address(&self, host: &str, address: IpAddr) -> Result<(), String> {
        let host = plain_host(host);
        match not_public(address) {
            Some(kind) if !self.0.allow_private && !self.0.vouched.contains(&host) => Err(format!(
                "{} is at {address}, {kind}, which no feed reaches unless its configuration says `allow_private = true` or names \
                 it as an endpoint",
                bounded_escaped(&host, 260)
            )),
            _ => Ok(()),
        }
    }

    /// The addresses that pass, or what is wrong with the last that does not.
    pub(super) fn pick(&self, host: &str, addresses: Vec<SocketAddr>) -> Result<Vec<SocketAddr>, String> {
        let mut picked = Vec::new();
        let mut wrong = format!("{} has no address", bounded_escaped(host, 260));
        for address in addresses {
            match self.check_address(host, address.ip()) {
                Ok(()) => picked.push(address),
                Err(sentence) => wrong = sentence,
            }
        }
        if picked.is_empty() { Err(wrong) } else { Ok(picked) }
    }

    /// Where a url that is elsewhere should be.
    fn expected(&self) -> String {
        let hosts: Vec<&str> = self.0.hosts.iter().map(String::as_str).collect();
        let hosts = bounded_escaped(&hosts.join(", "), 400);
        match &self.0.endpoint {
            None => format!("on none of its own hosts ({hosts}) nor one that the feed adds by `hosts = [...]`"),
            Some(Origin { scheme, host, port }) if hosts.is_empty() => {
                format!("not on the feed's endpoint {scheme}://{host}:{port}")
            }
            Some(Origin { scheme, host, port }) => {
                format!("not on the feed's endpoint {scheme}://{host}:{port}, nor on its hosts ({hosts})")
            }
        }
    }
}

impl Origin {
    /// The origin of an absolute url.
    pub(crate) fn of(uri: &Uri) -> Option<Self> {
        let scheme = uri.scheme_str()?.to_ascii_lowercase();
        let host = plain_host(uri.host().filter(|host| !host.is_empty())?);
        let port = uri.port_u16().unwrap_or(if matches!(scheme.as_str(), "https" | "wss") { 443 } else { 80 });
        Some(Self { scheme, host, port })
    }
}

/// A host as it is compared: in lower case, without the brackets of IPv6.
fn plain_host(host: &str) -> String {
    host.trim_start_matches('[').trim_end_matches(']').to_ascii_lowercase()
}

/// A text that should be a url, for messages, as [`shown`] has it.
pub(crate) fn shown_text(url: &str) -> String {
    let bare = url.split(['?', '#']).next().unwrap_or_default();
    bare.parse().map_or_else(|_| bounded_escaped(bare, 200), |uri| shown(&uri))
}

/// A url for messages: without its query, which may hold a key, and fit for a terminal.
pub(crate) fn shown(uri: &Uri) -> String {
    let text = uri.to_string();
    let bare = text.split(['?', '#']).next().unwrap_or_default();
    let hidden = match (bare.split_once("://"), uri.authority()) {
        (Some((scheme, rest)), Some(authority)) if authority.as_str().contains('@') => {
            let at = authority.as_str().rfind('@').map_or(0, |at| at + 1);
            format!("{scheme}://***@{}", &rest[at.min(rest.len())..])
        }
        _ => bare.to_owned(),
    };
    bounded_escaped(&hidden, 200)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_are_shown_without_what_may_be_a_secret() {
        for (url, expected) in [
            ("wss://stream.example.com:9443/stream?key=hunter2", "wss://stream.example.com:9443/stream"),
            ("https://me:hunter2@api.example.com/a?b#c", "https://***@api.example.com/a"),
            ("https://api.example.com", "https://api.example.com/"),
            ("\u{1b}[2J no url ?hunter2", "\\u{1b}[2J no url "),
        ] {
            assert_eq!(shown_text(url), expected);
        }
    }
}
