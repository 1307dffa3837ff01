//! Whether the address of `/metrics`, `/health` and `/ready` can be had.

use std::io::ErrorKind;
use std::net::TcpListener;

use super::Findings;
use crate::config::HttpConfig;

/// Takes the address for an instant.
pub(super) fn check(config: &HttpConfig) -> Findings {
    let mut findings = Findings::default();
    let listen = config.listen;
    match TcpListener::bind(listen) {
        Ok(_) => findings.passed.push(format!("{listen} is free for /metrics, /health and /ready")),
        // Whoever checks the configuration of a host that runs does nothing wrong.
        Err(error) if error.kind() == ErrorKind::AddrInUse => findings.notes.push(format!(
            "{listen} ([http] listen) is in use: if not by the tapedeck of this configuration, give another port"
        )),
        Err(error) => {
            findings
                .problems
                .push(format!("{listen} ([http] listen) cannot be listened at; is it of this machine?: {error}"));
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_free_or_in_use_or_not_ours() {
        let taken = TcpListener::bind("127.0.0.1:0").unwrap();
        let check = |text: &str| check(&HttpConfig { listen: text.parse().unwrap() });
        assert_eq!(check("127.0.0.1:0").passed.len(), 1);
        assert_eq!(check(&taken.local_addr().unwrap().to_string()).notes.len(), 1);
        // An address for documentation, which no machine has.
        assert_eq!(check("192.0.2.1:9464").problems.len(), 1);
    }
}
