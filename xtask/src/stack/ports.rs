//! Free ports on loopback for servers of tests and of the demo.

use std::net::{Ipv4Addr, TcpListener};

use anyhow::{Result, bail};

/// Below the ports that systems hand out to outgoing connections: a server that is restarted finds its port free again.
const FIRST: u16 = 20_000;
const LAST: u16 = 31_999;
const TRIES: u32 = 200;

/// A port that nobody listens on now. Somebody else may take it before it is used, so a start by free ports is retried.
pub fn free() -> Result<u16> {
    for _ in 0..TRIES {
        let port = fastrand::u16(FIRST..=LAST);
        if is_free(port) {
            return Ok(port);
        }
    }
    bail!("no free port between {FIRST} and {LAST} was found in {TRIES} tries: stop what listens there")
}

/// Whether nobody listens on this port of loopback.
pub fn is_free(port: u16) -> bool {
    TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok()
}

/// Fails with a sentence when a port that was asked for is taken.
pub(crate) fn demand(port: u16, server: &str, flag: &str) -> Result<()> {
    if is_free(port) {
        return Ok(());
    }
    bail!("port {port}, wanted for {server}, is in use by another process: stop that, or choose another port by {flag}")
}

#[cfg(test)]
mod tests {

    use super::*;

    #[test]
    fn a_taken_port_is_named_with_the_way_out() {
        // Processes that other tests start share this one's ports until they are programs of their own.
        let passes = |_| demand(free().unwrap(), "Kafka", "--kafka-port").is_ok();
        assert!((0..TRIES).any(passes), "no port is free");
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let error = demand(port, "Kafka", "--kafka-port").unwrap_err().to_string();
        assert!(error.contains(&port.to_string()) && error.contains("--kafka-port"), "{error}");
    }
}
