//! Where a plugin may lead the host: its own exchange's hosts, or the one that the user put in their place.

use http::Uri;

use super::text::bounded_escaped;

/// The longest url.
const MAX_URL: usize = 32 << 10;

/// Checks a url that a plugin gave: of one of two schemes, the first without TLS; on the user's own base where there is
/// one, else on one of the plugin's hosts. The error is half a sentence.
pub(super) fn check(
    url: &str,
    [plain, secure]: [&str; 2],
    base: Option<&str>,
    hosts: &[String],
    allow_plain: bool,
) -> Result<(), String> {
    let shown = bounded_escaped(url, 200);
    if url.len() > MAX_URL {
        return Err(format!("its url has {} bytes, more than {MAX_URL}", url.len()));
    }
    let uri: Uri = url.parse().map_err(|error| format!("its url {shown} is none: {error}"))?;
    let scheme = uri.scheme_str().unwrap_or_default();
    if scheme != plain && scheme != secure {
        return Err(format!("its url {shown} does not begin with {secure}:// or {plain}://"));
    }
    if scheme == plain && !allow_plain {
        return Err(format!("its url {shown} is without TLS; set `allow_plain = true` in the feed if that is meant"));
    }
    let authority = uri.authority().map(http::uri::Authority::as_str).unwrap_or_default();
    if authority.contains('@') {
        return Err(format!("its url {shown} carries credentials"));
    }
    let Some(base) = base else {
        let host = uri.host().unwrap_or_default();
        if hosts.iter().any(|own| own.eq_ignore_ascii_case(host)) {
            return Ok(());
        }
        return Err(format!("its url {shown} is on none of its own hosts ({})", hosts.join(", ")));
    };
    let base_uri: Uri = base.parse().map_err(|error| format!("the feed's endpoint {base} is no url: {error}"))?;
    if base_uri.scheme_str() == Some(scheme) && base_uri.authority() == uri.authority() {
        return Ok(());
    }
    Err(format!("its url {shown} is not on the feed's endpoint {base}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_stay_on_their_hosts() {
        let hosts = ["stream.example.com".to_owned()];
        let local = Some("ws://127.0.0.1:9001");
        for (url, base, allow_plain, wrong) in [
            ("wss://stream.example.com/ws?streams=a/b", None, false, None),
            ("wss://stream.example.com:9443/ws", None, false, None),
            ("wss://STREAM.example.com/ws", None, false, None),
            ("ws://stream.example.com/ws", None, false, Some("without TLS")),
            ("ws://stream.example.com/ws", None, true, None),
            ("wss://example.com/ws", None, false, Some("none of its own hosts (stream.example.com)")),
            ("wss://stream.example.com.evil.com/ws", None, false, Some("none of its own hosts")),
            ("wss://stream.example.com@evil.com/ws", None, false, Some("credentials")),
            ("wss://evil.com#stream.example.com", None, false, Some("none of its own hosts")),
            ("https://stream.example.com/", None, false, Some("does not begin with wss://")),
            ("/ws", None, false, Some("does not begin with wss://")),
            ("wss://stream.example.com/\u{1b}[31m", None, false, Some("\\u{1b}")),
            ("", None, false, Some("is none")),
            ("ws://127.0.0.1:9001/stream", local, true, None),
            ("ws://127.0.0.1:9001/stream", local, false, Some("without TLS")),
            ("ws://127.0.0.1:9002/stream", local, true, Some("not on the feed's endpoint")),
            ("wss://stream.example.com/ws", local, true, Some("not on the feed's endpoint")),
        ] {
            let outcome = check(url, ["ws", "wss"], base, &hosts, allow_plain);
            match wrong {
                None => assert_eq!(outcome, Ok(()), "{url}"),
                Some(part) => assert!(outcome.as_ref().is_err_and(|error| error.contains(part)), "{url}: {outcome:?}"),
            }
        }
    }
}
