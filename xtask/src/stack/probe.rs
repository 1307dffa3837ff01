//! Asks a Kafka broker whether it serves clients: the smallest request of its protocol.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::time::Duration;

const TIMEOUT: Duration = Duration::from_secs(2);
const API_METADATA: i16 = 3;

/// Whether the broker answers a metadata request with at least one broker, so that clients can work.
pub(crate) fn kafka_serves(port: u16) -> bool {
    metadata(port).unwrap_or(false)
}

fn metadata(port: u16) -> std::io::Result<bool> {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let mut stream = TcpStream::connect_timeout(&address, TIMEOUT)?;
    stream.set_read_timeout(Some(TIMEOUT))?;
    stream.set_write_timeout(Some(TIMEOUT))?;

    // Header: api key, version 1, correlation id 7, no client id. Body: an empty list of topics.
    let mut request = Vec::new();
    request.extend(API_METADATA.to_be_bytes());
    request.extend(1_i16.to_be_bytes());
    request.extend(7_i32.to_be_bytes());
    request.extend((-1_i16).to_be_bytes());
    request.extend(0_i32.to_be_bytes());
    let length = u32::try_from(request.len()).map_err(std::io::Error::other)?;
    stream.write_all(&length.to_be_bytes())?;
    stream.write_all(&request)?;

    // Answer: length, correlation id, number of brokers.
    let mut answer = [0; 12];
    stream.read_exact(&mut answer)?;
    let [_, _, _, _, id @ .., b1, b2, b3, b4] = answer;
    Ok(i32::from_be_bytes(id) == 7 && i32::from_be_bytes([b1, b2, b3, b4]) > 0)
}
