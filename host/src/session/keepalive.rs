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

#[cfg(test)]
mod tests {
    use tokio::net::{TcpListener, TcpStream};
    use tokio_tungstenite::WebSocketStream;
    use tokio_tungstenite::tungstenite::protocol::Role;

    use super::*;
    use crate::session::dial::Transport;

    /// A peer that is gone without a packet takes a machine to lose, so that only what is asked of TCP is tried here.
    #[tokio::test]
    async fn tcp_gives_a_connection_up_after_the_idle_time_and_not_before_five_seconds() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        for (idle, whole, part) in [(65, 65, 16), (8, 8, 2), (1, 5, 1)] {
            let stream = MaybeTlsStream::Plain(Transport::Tcp(TcpStream::connect(address).await.unwrap()));
            let socket = WebSocketStream::from_raw_socket(stream, Role::Client, None).await;
            watch(&socket, Duration::from_secs(idle));
            let MaybeTlsStream::Plain(Transport::Tcp(stream)) = socket.get_ref() else { panic!("it is plain TCP") };
            let socket = SockRef::from(stream);
            let times = (socket.tcp_keepalive_time().unwrap(), socket.tcp_keepalive_interval().unwrap());
            assert_eq!(times, (Duration::from_secs(part), Duration::from_secs(part)), "idle for {idle} s");
            assert!(socket.keepalive().unwrap() && socket.tcp_keepalive_retries().unwrap() == PROBES);
            #[cfg(target_os = "linux")]
            assert_eq!(socket.tcp_user_timeout().unwrap(), Some(Duration::from_secs(whole)), "idle for {idle} s");
        }
    }
}
