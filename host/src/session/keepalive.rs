//! Half-open sockets, as TCP sees them: a peer that is gone without a word leaves a connection which only silence tells of.
//!
//! The plugin's idle rule finds them in any case. TCP's own probes find them sooner where that rule is long, and bound the
//! time for which what was sent may stay unacknowledged.

use std::time::Duration;

use socket2::{SockRef, TcpKeepalive};
use tokio_tungstenite::MaybeTlsStream;
use tracing::debug;

use super::dial::Socket;

/// Probes of which none was answered, after which the connection is dead.
const PROBES: u32 = 3;

/// Lost packets take their time to be sent again: a connection is not given up for less.
const SHORTEST: Duration = Duration::from_secs(5);

/// Lets TCP end a connection whose peer acknowledged nothing for `idle`, or for five seconds.
pub(super) fn watch(socket: &Socket, idle: Duration) {
    let stream = match socket.get_ref() {
        MaybeTlsStream::Plain(stream) => stream.tcp(),
        MaybeTlsStream::Rustls(stream) => stream.get_ref().0.tcp(),
        _ => None,
    };
    let Some(stream) = stream else { return };
    // The system counts in whole seconds, from one.
    let idle = idle.max(SHORTEST);
    let part = Duration::from_secs((idle.as_secs() / u64::from(PROBES + 1)).max(1));
    let keepalive = TcpKeepalive::new().with_time(part).with_interval(part).with_retries(PROBES);
    let socket = SockRef::from(stream);
    let kept = socket.set_tcp_keepalive(&keepalive);
    #[cfg(target_os = "linux")]
    let kept = kept.and_then(|()| socket.set_tcp_user_timeout(Some(idle)));
    if let Err(error) = kept {
        debug!(%error, "TCP keepalive is not available; silence alone tells of a dead connection");
    }
}
