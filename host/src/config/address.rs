//! Addresses: what is a good one, and what is wrong with the others.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};

use url::Url;

/// A list `host:port,host:port` as Kafka's clients take it; blanks after commas go.
///
/// # Errors
/// What is wrong with one of them, in words that follow its name.
pub(super) fn brokers(list: &str) -> Result<String, String> {
    let brokers: Vec<&str> = list.split(',').map(str::trim).collect();
    for broker in &brokers {
        host_and_port(broker)?;
    }
    Ok(brokers.join(","))
}

/// One `host:port`, `10.0.0.1:port` or `[::1]:port`.
fn host_and_port(address: &str) -> Result<(), String> {
    let wrong = |what: &str| {
        let shown = address.escape_debug();
        Err(format!("\"{shown}\" {what}; write host:port, for example \"127.0.0.1:9092\", and commas between several"))
    };
    if address.is_empty() {
        return wrong("is empty");
    }
    if address.contains("://") {
        return wrong("is a url, but Kafka's brokers have none");
    }
    let Some((host, port)) = address.rsplit_once(':') else { return wrong("has no port") };
    let bracketed = host.starts_with('[') && host.ends_with(']');
    if host.is_empty() {
        return wrong("has no host");
    }
    let allowed = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '.' | '-' | '_');
    let inner = host.trim_matches(['[', ']']);
    let good = if bracketed { inner.parse::<Ipv6Addr>().is_ok() } else { host.chars().all(allowed) };
    if !good {
        return wrong("is not a host and a port");
    }
    match port.parse::<u16>() {
        Ok(0) | Err(_) => wrong("has a port that is not a number from 1 to 65535"),
        Ok(_) => Ok(()),
    }
}

/// An address to listen at.
///
/// # Errors
/// What is wrong with it.
pub(super) fn listen(text: &str) -> Result<SocketAddr, String> {
    text.parse().map_err(|_| {
        let shown = text.escape_debug();
        let try_instead = |candidate: String| candidate.parse::<SocketAddr>().ok().map(|_| candidate);
        let better = match text.split_once(':') {
            Some(("localhost", port)) => try_instead(format!("127.0.0.1:{port}")),
            Some(("" | "*", port)) => try_instead(format!("0.0.0.0:{port}")),
            _ => try_instead(format!("{text}:9464")).or_else(|| try_instead(format!("127.0.0.1:{text}"))),
        };
        let better = better.unwrap_or_else(|| "127.0.0.1:9464".to_owned());
        format!("\"{shown}\" is not an IP address and a port; write for example \"{better}\"")
    })
}

/// A host alone, a name or an address, in lower case.
///
/// # Errors
/// What is wrong with it.
pub(super) fn host(text: &str) -> Result<String, String> {
    let is_name = (1..=253).contains(&text.len())
        && text.chars().all(|letter| letter.is_ascii_alphanumeric() || matches!(letter, '.' | '-' | '_'));
    if is_name || text.parse::<IpAddr>().is_ok() {
        return Ok(text.to_ascii_lowercase());
    }
    let better = Url::parse(text).ok().and_then(|url| Some(url.host_str()?.to_owned()));
    let better = better.filter(|better| better != text).unwrap_or_else(|| "api.example.org".to_owned());
    Err(format!(
        "\"{}\" is not a host; write its name or address alone, without scheme, port and path, for example \"{better}\"",
        hide_login(text)
    ))
}

/// What a url is for: which schemes it may have, and how one looks.
pub(super) struct UrlRule {
    /// The encrypted scheme.
    pub(super) safe: &'static str,
    /// The scheme that is not.
    pub(super) plain: &'static str,
    /// Whether the plain one is allowed.
    pub(super) allow_plain: bool,
    /// A good one.
    pub(super) example: &'static str,
}

/// The base of urls: scheme, host and port alone, without a `/` at its end.
///
/// # Errors
/// What is wrong with it. A password in it is not shown.
pub(super) fn base_url(text: &str, rule: &UrlRule) -> Result<String, String> {
    let UrlRule { safe, plain, example, .. } = *rule;
    let write = format!("write a base such as \"{example}\"");
    if !text.contains("://") {
        return Err(format!("\"{}\" has no {safe}:// or {plain}:// at its front; {write}", text.escape_debug()));
    }
    let url = Url::parse(text).map_err(|error| format!("\"{}\" is no url ({error}); {write}", hide_login(text)))?;
    let shown = hide_login(text);
    if url.scheme() != safe && url.scheme() != plain {
        return Err(format!(
            "\"{shown}\" has the scheme {}://, but {safe}:// or {plain}:// is expected; {write}",
            url.scheme()
        ));
    }
    if url.host_str().is_none_or(str::is_empty) {
        return Err(format!("\"{shown}\" has no host; {write}"));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(format!("a url with a user or password in it is not taken, as it would show in logs; {write}"));
    }
    if !url.path().trim_matches('/').is_empty() || url.query().is_some() || url.fragment().is_some() {
        let base = url[..url::Position::BeforePath].to_owned();
        return Err(format!("\"{shown}\" has a path, but the base alone is expected: \"{base}\""));
    }
    if url.scheme() == plain && !rule.allow_plain {
        return Err(format!(
            "\"{shown}\" is not encrypted; use {safe}://, or set allow_plain = true in this [[feed]] if nobody can read or \
             change what passes (loopback, your own network)"
        ));
    }
    Ok(url[..url::Position::BeforePath].to_owned())
}

/// A url's text for messages.
fn hide_login(text: &str) -> String {
    let Some((scheme, rest)) = text.split_once("://") else { return text.escape_debug().to_string() };
    let end = rest.find('/').unwrap_or(rest.len());
    match rest[..end].rfind('@') {
        Some(at) => format!("{}://***{}", scheme.escape_debug(), rest[at..].escape_debug()),
        None => text.escape_debug().to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn good_addresses_pass() {
        for (list, expected) in [
            ("127.0.0.1:9092", "127.0.0.1:9092"),
            ("a:1, b.example.org:65535", "a:1,b.example.org:65535"),
            ("[::1]:9092", "[::1]:9092"),
        ] {
            assert_eq!(brokers(list).as_deref(), Ok(expected));
        }
        assert_eq!(listen("[::]:0").map(|address| address.port()), Ok(0));
    }

    #[test]
    fn bad_addresses_say_what_is_wrong() {
        for (list, part) in [
            ("", "\"\" is empty"),
            ("kafka", "\"kafka\" has no port"),
            (":9092", "\":9092\" has no host"),
            ("a:1,b:0", "\"b:0\" has a port that is not a number from 1 to 65535"),
            ("a:70000", "has a port that is not"),
            ("PLAINTEXT://a:9092", "is a url"),
            ("::1:9092", "is not a host and a port"),
            ("a b:9092", "is not a host and a port"),
        ] {
            let error = brokers(list).unwrap_err();
            assert!(error.contains(part), "{list}: {error}");
        }
        for (text, better) in [
            ("localhost:9000", "\"127.0.0.1:9000\""),
            (":9000", "\"0.0.0.0:9000\""),
            ("127.0.0.1", "\"127.0.0.1:9464\""),
            ("9000", "\"127.0.0.1:9000\""),
            ("here", "\"127.0.0.1:9464\""),
        ] {
            let error = listen(text).unwrap_err();
            assert!(error.ends_with(better), "{text}: {error}");
        }
    }

    #[test]
    fn hosts_are_names_or_addresses() {
        for (text, expected) in [
            ("API.example.org", Ok("api.example.org")),
            ("10.0.0.1", Ok("10.0.0.1")),
            ("::1", Ok("::1")),
            ("", Err("\"api.example.org\"")),
            ("https://user:hunter2@a.example.org/x", Err("for example \"a.example.org\"")),
            ("a.example.org:443", Err("\"a.example.org:443\" is not a host")),
            ("[::1]", Err("is not a host")),
            ("*.example.org", Err("is not a host")),
            ("a\u{1b}b", Err("a\\u{1b}b")),
        ] {
            match (host(text), expected) {
                (Ok(host), Ok(expected)) => assert_eq!(host, expected),
                (Err(error), Err(part)) => assert!(error.contains(part) && !error.contains("hunter2"), "{error}"),
                (got, _) => panic!("{text}: {got:?}"),
            }
        }
    }

    #[test]
    fn urls_are_bases() {
        let rule = UrlRule { safe: "wss", plain: "ws", allow_plain: false, example: "wss://stream.example.org:443" };
        for (text, expected) in [
            ("wss://a.example.org", Ok("wss://a.example.org")),
            ("wss://a.example.org:9443/", Ok("wss://a.example.org:9443")),
            ("a.example.org:9443", Err("has no wss:// or ws:// at its front")),
            ("wss://:9443", Err("is no url")),
            ("https://a", Err("wss:// or ws:// is expected")),
            ("wss://a/ws", Err("the base alone is expected: \"wss://a\"")),
            ("ws://a", Err("is not encrypted")),
            ("wss://user:hunter2@a", Err("a user or password")),
            ("http://user:hunter2@a:x", Err("\"http://***@a:x\" is no url")),
        ] {
            match (base_url(text, &rule), expected) {
                (Ok(base), Ok(expected)) => assert_eq!(base, expected),
                (Err(error), Err(part)) => {
                    assert!(error.contains(part), "{text}: {error}");
                    assert!(!error.contains("hunter2"), "{error}");
                }
                (got, _) => panic!("{text}: {got:?}"),
            }
        }
        let plain = UrlRule { allow_plain: true, ..rule };
        assert_eq!(base_url("ws://127.0.0.1:9001/", &plain).as_deref(), Ok("ws://127.0.0.1:9001"));
    }
}
