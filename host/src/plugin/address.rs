//! Where a plugin may lead the host: its own exchange's hosts, those that the user adds, or the one that the user put in
//! their place.

use http::Uri;

use super::text::{bounded_escaped, is_showable};
use crate::net::AllowedHosts;

/// The longest url.
const MAX_URL: usize = 32 << 10;

/// Checks a url that a plugin gave: of one of two schemes, the first without TLS, and on an allowed host. The error is half a
/// sentence.
pub(super) fn check(url: &str, schemes: [&str; 2], allowed: &AllowedHosts) -> Result<(), String> {
    if url.len() > MAX_URL {
        return Err(format!("its url has {} bytes, more than {MAX_URL}", url.len()));
    }
    if !is_showable(url) {
        return Err(format!("its url {} has characters that a url must encode", bounded_escaped(url, 200)));
    }
    let uri: Uri = url.parse().map_err(|error| format!("its url {} is none: {error}", bounded_escaped(url, 200)))?;
    allowed.check(&uri, schemes).map_err(|reason| format!("its url {reason}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::net::HostRules;

    #[test]
    fn urls_stay_on_their_hosts() {
        let declared = ["stream.example.com".to_owned(), "10.0.0.1".to_owned()];
        let added = ["more.example.com".to_owned(), "10.0.0.2".to_owned(), "::1".to_owned()];
        let local = Some("ws://127.0.0.1:9001");
        for (url, endpoint, allow_plain, wrong) in [
            ("wss://stream.example.com/ws?streams=a/b", None, false, None),
            ("wss://stream.example.com:9443/ws", None, false, None),
            ("wss://STREAM.example.com/ws", None, false, None),
            ("wss://more.example.com/ws", None, false, None),
            ("wss://10.0.0.2/ws", None, false, None),
            ("wss://[::1]/ws", None, false, None),
            ("wss://10.0.0.1/ws", None, false, Some("10.0.0.1, a private address")),
            ("ws://stream.example.com/ws", None, false, Some("without TLS")),
            ("ws://stream.example.com/ws", None, true, None),
            (
                "wss://example.com/ws?key=hunter2",
                None,
                false,
                Some("none of its own hosts (10.0.0.1, 10.0.0.2, ::1, more"),
            ),
            ("wss://stream.example.com.evil.com/ws", None, false, Some("none of its own hosts")),
            ("wss://stream.example.com@evil.com/ws", None, false, Some("credentials")),
            ("wss://hunter2@stream.example.com/ws", None, false, Some("credentials")),
            ("wss://evil.com#stream.example.com", None, false, Some("none of its own hosts")),
            ("https://stream.example.com/", None, false, Some("does not begin with wss://")),
            ("/ws", None, false, Some("does not begin with wss://")),
            ("wss://stream.example.com/\u{1b}[31m", None, false, Some("\\u{1b}")),
            ("wss://stream.example.com/\u{202e}", None, false, Some("\\u{202e} has characters that")),
            ("", None, false, Some("is none")),
            ("ws://127.0.0.1:9001/stream", local, true, None),
            ("ws://127.0.0.1:9001/stream", local, false, Some("without TLS")),
            ("ws://127.0.0.1:9002/stream", local, true, Some("not on the feed's endpoint")),
            ("wss://127.0.0.1:9001/stream", local, true, Some("not on the feed's endpoint")),
            ("wss://stream.example.com/ws", local, true, Some("not on the feed's endpoint")),
            ("wss://more.example.com/ws", local, true, None),
            ("wss://a.example.com/ws", Some("wss://a.example.com"), false, None),
            ("wss://a.example.com:443/ws", Some("wss://a.example.com"), false, None),
            ("wss://a.example.com:444/ws", Some("wss://a.example.com"), false, Some("not on the feed's endpoint")),
        ] {
            let rules = HostRules { endpoint, declared: &declared, added: &added, allow_plain, ..HostRules::default() };
            let outcome = check(url, ["ws", "wss"], &AllowedHosts::new(&rules).unwrap());
            match wrong {
                None => assert_eq!(outcome, Ok(()), "{url}"),
                Some(part) => assert!(outcome.as_ref().is_err_and(|error| error.contains(part)), "{url}: {outcome:?}"),
            }
            assert!(!format!("{outcome:?}").contains("hunter2"), "{outcome:?}");
        }
    }
}
