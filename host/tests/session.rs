//! Sessions against a real WebSocket server on loopback.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::{SinkExt as _, StreamExt as _};
use tapedeck::frames::FrameBatch;
use tapedeck::metrics::{Metrics, SessionMetrics};
use tapedeck::net::{AllowedHosts, HostRules};
use tapedeck::session::{
    self, Allowance, Backoff, Budgets, Dialer, FrameHandler, Plan, Reaction, SessionSettings, SessionState,
    SessionStatus, Subscriptions,
};
use tokio::io::AsyncWriteExt as _;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout};
use tokio_tungstenite::tungstenite::{Bytes, Message};
use tokio_tungstenite::{WebSocketStream, accept_async};
use tokio_util::sync::CancellationToken;

const PATIENCE: Duration = Duration::from_secs(10);

/// Writes down what it is given, and asks for what it is told to.
struct Recorder {
    plan: Plan,
    frames: mpsc::UnboundedSender<Vec<u8>>,
    broken: mpsc::UnboundedSender<String>,
    reactions: Arc<Mutex<VecDeque<Reaction>>>,
    largest_batch: Arc<Mutex<usize>>,
}

impl FrameHandler for Recorder {
    fn open(&mut self) -> Result<Plan, String> {
        Ok(self.plan.clone())
    }

    async fn frames(&mut self, batch: &FrameBatch, received_at_us: i64) -> Reaction {
        assert!(received_at_us > 1_700_000_000_000_000);
        for frame in batch.iter() {
            self.frames.send(frame.to_vec()).unwrap();
        }
        let mut largest = self.largest_batch.lock().unwrap();
        *largest = batch.len().max(*largest);
        self.reactions.lock().unwrap().pop_front().unwrap_or_default()
    }

    async fn broken(&mut self, _frame: &[u8], reason: &str, _received_at_us: i64) {
        self.broken.send(reason.to_owned()).unwrap();
    }
}

/// The hosts of a feed that is configured for servers on loopback.
fn loopback() -> AllowedHosts {
    let added = ["127.0.0.1".to_owned()];
    AllowedHosts::new(&HostRules { added: &added, allow_plain: true, ..HostRules::default() }).unwrap()
}

/// How the sessions here are kept, but for what a test changes.
fn settings() -> SessionSettings {
    SessionSettings {
        name: "acme-0".to_owned(),
        dialer: Dialer::new(1 << 20).unwrap().reaching(loopback()),
        backoff: Backoff { base: Duration::from_millis(10), cap: Duration::from_millis(50) },
        batch_frames: 64,
        batch_bytes: 1 << 20,
        messages: Allowance { count: 1, window: Duration::from_millis(100) },
        connects: Allowance { count: 1000, window: Duration::from_secs(1) },
        budgets: Budgets::default(),
        lifetime: None,
        answer: PATIENCE,
        overlap: Duration::from_millis(50),
        metrics: Metrics::new().session("acme", 0),
        status: SessionStatus::default(),
    }
}

/// Makes handlers of which nobody reads what they write down, for a session to this server.
fn recorder(server: SocketAddr, change: impl FnOnce(&mut Plan)) -> impl Fn() -> Recorder {
    let url = format!("ws://{server}/feed");
    let mut plan = Plan { url, messages: Vec::new(), idle: PATIENCE, ping: None, markets: 0 };
    change(&mut plan);
    move || Recorder {
        plan: plan.clone(),
        frames: mpsc::unbounded_channel().0,
        broken: mpsc::unbounded_channel().0,
        reactions: Arc::default(),
        largest_batch: Arc::default(),
    }
}

/// A session and the server that it talks to.
struct Pair {
    listener: TcpListener,
    frames: mpsc::UnboundedReceiver<Vec<u8>>,
    broken: mpsc::UnboundedReceiver<String>,
    reactions: Arc<Mutex<VecDeque<Reaction>>>,
    largest_batch: Arc<Mutex<usize>>,
    metrics: SessionMetrics,
    status: SessionStatus,
    shutdown: CancellationToken,
    task: JoinHandle<()>,
}

impl Pair {
    async fn start(change: impl FnOnce(&mut Plan)) -> Self {
        Self::start_with(None, change).await
    }

    async fn start_with(lifetime: Option<Duration>, change: impl FnOnce(&mut Plan)) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let mut plan = Plan {
            url: format!("ws://{}/feed", listener.local_addr().unwrap()),
            messages: vec!["subscribe one".to_owned(), "subscribe two".to_owned()],
            idle: PATIENCE,
            ping: None,
            markets: 0,
        };
        change(&mut plan);
        let (frame_sender, frames) = mpsc::unbounded_channel();
        let (broken_sender, broken) = mpsc::unbounded_channel();
        let reactions = Arc::<Mutex<VecDeque<Reaction>>>::default();
        let largest_batch = Arc::<Mutex<usize>>::default();
        let make = {
            let (reactions, largest_batch) = (Arc::clone(&reactions), Arc::clone(&largest_batch));
            move || Recorder {
                plan: plan.clone(),
                frames: frame_sender.clone(),
                broken: broken_sender.clone(),
                reactions: Arc::clone(&reactions),
                largest_batch: Arc::clone(&largest_batch),
            }
        };
        let settings = SessionSettings { lifetime, ..settings() };
        let (status, metrics) = (settings.status.clone(), settings.metrics.clone());
        let shutdown = CancellationToken::new();
        let task = tokio::spawn(session::run(make, settings, shutdown.clone()));
        Self { listener, frames, broken, reactions, largest_batch, metrics, status, shutdown, task }
    }

    async fn accept(&self) -> WebSocketStream<TcpStream> {
        let (stream, _) = timeout(PATIENCE, self.listener.accept()).await.unwrap().unwrap();
        accept_async(stream).await.unwrap()
    }

    async fn frame(&mut self) -> Vec<u8> {
        timeout(PATIENCE, self.frames.recv()).await.unwrap().unwrap()
    }

    async fn stop(self) {
        self.shutdown.cancel();
        timeout(PATIENCE, self.task).await.unwrap().unwrap();
    }
}

async fn next(socket: &mut WebSocketStream<TcpStream>) -> Message {
    timeout(PATIENCE, socket.next()).await.unwrap().unwrap().unwrap()
}

#[tokio::test]
async fn first_messages_go_out_in_order_and_at_the_exchange_s_pace() {
    let pair = Pair::start(|_| {}).await;
    let mut socket = pair.accept().await;
    assert_eq!(next(&mut socket).await, Message::text("subscribe one"));
    let first = Instant::now();
    assert_eq!(next(&mut socket).await, Message::text("subscribe two"));
    assert!(first.elapsed() >= Duration::from_millis(80), "{:?}", first.elapsed());
    pair.stop().await;
}

#[tokio::test]
async fn pings_are_answered_with_their_payload_while_frames_flow() {
    let mut pair = Pair::start(|plan| plan.messages.clear()).await;
    let mut socket = pair.accept().await;
    socket.send(Message::Ping(Bytes::from_static(b"1234"))).await.unwrap();
    assert_eq!(next(&mut socket).await, Message::Pong(Bytes::from_static(b"1234")));
    socket.send(Message::text("frame")).await.unwrap();
    assert_eq!(pair.frame().await, b"frame");
    pair.stop().await;
}

#[tokio::test]
async fn what_the_socket_holds_comes_in_bounded_batches_and_in_order() {
    let mut pair = Pair::start(|plan| plan.messages.clear()).await;
    let mut socket = pair.accept().await;
    for number in 0..5000 {
        socket.feed(Message::text(format!("{number}"))).await.unwrap();
    }
    socket.flush().await.unwrap();
    for number in 0..5000 {
        assert_eq!(pair.frame().await, format!("{number}").as_bytes());
    }
    let largest = *pair.largest_batch.lock().unwrap();
    assert!((2..=64).contains(&largest), "{largest}");
    assert_eq!(pair.metrics.frames.get(), 5000);
    pair.stop().await;
}

#[tokio::test]
async fn a_lost_connection_is_dialled_again_and_subscribed_again() {
    let mut pair = Pair::start(|plan| plan.messages.truncate(1)).await;
    for round in 1..=3 {
        let mut socket = pair.accept().await;
        assert_eq!(next(&mut socket).await, Message::text("subscribe one"));
        socket.send(Message::binary(vec![round])).await.unwrap();
        assert_eq!(pair.frame().await, [round]);
        drop(socket);
    }
    pair.accept().await;
    assert_eq!(pair.metrics.reconnects.get(), 3);
    pair.stop().await;
}

#[tokio::test]
async fn a_handler_s_wishes_are_done() {
    let mut pair = Pair::start(|plan| plan.messages.clear()).await;
    pair.reactions.lock().unwrap().extend([
        Reaction { send: vec!["pong".to_owned()], ..Reaction::default() },
        Reaction { give_up: Some("the plugin is of no more use".to_owned()), ..Reaction::default() },
    ]);
    let mut socket = pair.accept().await;
    socket.send(Message::text("ping")).await.unwrap();
    assert_eq!(next(&mut socket).await, Message::text("pong"));
    socket.send(Message::text("riddle")).await.unwrap();
    assert!(matches!(next(&mut socket).await, Message::Close(_)));
    pair.accept().await;
    assert_eq!((pair.frame().await, pair.frame().await), (b"ping".to_vec(), b"riddle".to_vec()));
    assert_eq!((pair.metrics.reconnects.get(), pair.metrics.rotations.get()), (1, 0));
    pair.stop().await;
}

#[tokio::test]
async fn a_connection_goes_on_until_its_successor_is_live() {
    let mut pair = Pair::start(|plan| {
        plan.messages.truncate(1);
        plan.markets = 1;
    })
    .await;
    let subscribed = |confirmed| Reaction {
        subscriptions: Some(Subscriptions { confirmed, ..Subscriptions::default() }),
        ..Reaction::default()
    };
    let reconnect = Reaction { reconnect: Some("maintenance".to_owned()), ..Reaction::default() };
    pair.reactions.lock().unwrap().extend([subscribed(1), reconnect]);
    let mut first = pair.accept().await;
    first.send(Message::text("confirmed")).await.unwrap();
    assert_eq!(pair.frame().await, b"confirmed");
    first.send(Message::text("maintenance soon")).await.unwrap();
    assert_eq!(pair.frame().await, b"maintenance soon");

    // The second is lost before it is subscribed: the first stays.
    let mut second = pair.accept().await;
    assert_eq!(next(&mut second).await, Message::text("subscribe one"));
    assert!(pair.status.get().is_live(), "{:?}", pair.status.get());
    drop(second);
    let mut third = pair.accept().await;
    assert_eq!(next(&mut third).await, Message::text("subscribe one"));
    first.send(Message::text("from the first")).await.unwrap();
    assert_eq!(pair.frame().await, b"from the first");
    assert_eq!(pair.metrics.connections.get(), 2);

    // The third is subscribed: the first may go, and what it still has to say counts.
    pair.reactions.lock().unwrap().push_back(subscribed(1));
    third.send(Message::text("confirmed")).await.unwrap();
    assert_eq!(pair.frame().await, b"confirmed");
    assert_eq!(next(&mut first).await, Message::text("subscribe one"));
    let close = first.next().await;
    assert!(matches!(close, Some(Ok(Message::Close(_)))), "{close:?}");
    third.send(Message::text("from the third")).await.unwrap();
    assert_eq!(pair.frame().await, b"from the third");
    assert_eq!((pair.metrics.reconnects.get(), pair.metrics.rotations.get()), (1, 1));
    timeout(PATIENCE, async {
        while pair.status.get() != SessionState::Live {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    })
    .await
    .unwrap();
    pair.stop().await;
}

/// The exchange knows one market of two at first. The other is asked for on connections beside the one that counts, which
/// goes on, until one of them is served with both and takes over.
#[tokio::test]
async fn a_refused_market_is_asked_for_apart_until_it_is_served() {
    let mut pair = Pair::start(|plan| {
        plan.messages.truncate(1);
        plan.markets = 2;
    })
    .await;
    let answered = |confirmed, refused| Reaction {
        subscriptions: Some(Subscriptions { confirmed, refused, ..Subscriptions::default() }),
        ..Reaction::default()
    };
    pair.reactions.lock().unwrap().push_back(answered(1, 1));
    let mut first = pair.accept().await;
    assert_eq!(next(&mut first).await, Message::text("subscribe one"));
    first.send(Message::text("one is refused")).await.unwrap();
    assert_eq!(pair.frame().await, b"one is refused");

    let mut second = pair.accept().await;
    assert_eq!(next(&mut second).await, Message::text("subscribe one"));
    pair.reactions.lock().unwrap().push_back(answered(1, 1));
    second.send(Message::text("one is refused again")).await.unwrap();
    assert_eq!(pair.frame().await, b"one is refused again");
    assert!(matches!(next(&mut second).await, Message::Close(_)), "it is no better");
    first.send(Message::text("from the first")).await.unwrap();
    assert_eq!(pair.frame().await, b"from the first");
    assert_eq!((pair.metrics.subscribed.get(), pair.metrics.unserved.get()), (1, 1));

    let mut third = pair.accept().await;
    pair.reactions.lock().unwrap().push_back(answered(2, 0));
    third.send(Message::text("both are served")).await.unwrap();
    assert_eq!(pair.frame().await, b"both are served");
    assert!(matches!(next(&mut first).await, Message::Close(_)), "another took its place");
    timeout(PATIENCE, async {
        while (pair.metrics.subscribed.get(), pair.metrics.unserved.get()) != (2, 0) {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    })
    .await
    .unwrap();
    assert_eq!((pair.metrics.reconnects.get(), pair.metrics.rotations.get()), (0, 1));
    pair.stop().await;
}

/// Two sessions whose connections are cut at once dial as often as one may.
#[tokio::test]
async fn sessions_to_one_host_share_its_connection_attempts() {
    const COUNT: u32 = 6;
    const WINDOW: Duration = Duration::from_millis(300);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let server = listener.local_addr().unwrap();
    let (budgets, shutdown) = (Budgets::default(), CancellationToken::new());
    let began = Instant::now();
    let sessions = [0, 1].map(|_| {
        let backoff = Backoff { base: Duration::from_millis(1), cap: Duration::from_millis(2) };
        let connects = Allowance { count: COUNT, window: WINDOW };
        let settings = SessionSettings { backoff, connects, budgets: budgets.clone(), ..settings() };
        tokio::spawn(session::run(recorder(server, |_| {}), settings, shutdown.clone()))
    });
    for _ in 0..6 * COUNT {
        drop(timeout(PATIENCE, listener.accept()).await.unwrap().unwrap());
    }
    // Never more than the count in a window: the first of the last window's came five windows after the very first.
    assert!(began.elapsed() >= 5 * WINDOW, "{} attempts in {:?}", 6 * COUNT, began.elapsed());
    shutdown.cancel();
    for session in sessions {
        timeout(PATIENCE, session).await.unwrap().unwrap();
    }
}

/// Of two sessions the second waits for its turn to send for longer than its exchange may be silent, and is not given up.
#[tokio::test]
async fn sessions_to_one_host_share_its_messages() {
    const WINDOW: Duration = Duration::from_millis(1_500);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let server = listener.local_addr().unwrap();
    let (budgets, shutdown) = (Budgets::default(), CancellationToken::new());
    let metrics = [0, 1].map(|number| Metrics::new().session("acme", number));
    let began = Instant::now();
    let sessions = metrics.clone().map(|metrics| {
        let messages = Allowance { count: 1, window: WINDOW };
        let settings = SessionSettings { messages, budgets: budgets.clone(), metrics, ..settings() };
        let recorder = recorder(server, |plan| {
            plan.messages = vec!["subscribe".to_owned()];
            plan.idle = Duration::from_secs(1);
        });
        tokio::spawn(session::run(recorder, settings, shutdown.clone()))
    });
    let (told, mut subscriptions) = mpsc::unbounded_channel();
    for _ in 0..2 {
        let (stream, _) = timeout(PATIENCE, listener.accept()).await.unwrap().unwrap();
        let told = told.clone();
        tokio::spawn(async move {
            let mut socket = accept_async(stream).await.unwrap();
            told.send(next(&mut socket).await).unwrap();
            // From now on the exchange is heard.
            while socket.send(Message::Ping(Bytes::new())).await.is_ok() {
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        });
    }
    for _ in 0..2 {
        let message = timeout(PATIENCE, subscriptions.recv()).await.unwrap();
        assert_eq!(message, Some(Message::text("subscribe")));
    }
    assert!(began.elapsed() >= WINDOW, "two messages in {:?}", began.elapsed());
    assert_eq!(metrics.map(|metrics| metrics.reconnects.get()), [0, 0]);
    shutdown.cancel();
    for session in sessions {
        timeout(PATIENCE, session).await.unwrap().unwrap();
    }
}

/// Each connection of the server hears its own number and a count; no number is missed over a row of rotations.
#[tokio::test]
async fn connections_are_replaced_before_their_lifetime_ends() {
    let lifetime = Duration::from_millis(400);
    let mut pair = Pair::start_with(Some(lifetime), |plan| plan.messages.clear()).await;
    let began = Instant::now();
    for number in 0..5_u8 {
        let mut socket = pair.accept().await;
        socket.send(Message::binary(vec![number])).await.unwrap();
        assert_eq!(pair.frame().await, [number]);
        tokio::spawn(async move { while socket.next().await.is_some_and(|message| message.is_ok()) {} });
    }
    assert!(began.elapsed() >= lifetime, "{:?}", began.elapsed());
    assert!(pair.metrics.rotations.get() >= 3);
    assert_eq!(pair.metrics.reconnects.get(), 0);
    pair.stop().await;
}

#[tokio::test]
async fn a_silent_connection_is_given_up_and_pings_keep_one_alive() {
    let pair = Pair::start(|plan| {
        plan.messages.clear();
        plan.idle = Duration::from_millis(300);
        plan.ping = Some((Duration::from_millis(50), "are you there".to_owned()));
    })
    .await;
    let mut socket = pair.accept().await;
    assert_eq!(next(&mut socket).await, Message::text("are you there"));
    // Pings of the exchange count as life, whatever else it does not say.
    for _ in 0..8 {
        tokio::time::sleep(Duration::from_millis(100)).await;
        socket.send(Message::Ping(Bytes::new())).await.unwrap();
    }
    assert_eq!(pair.metrics.reconnects.get(), 0);
    timeout(PATIENCE, async { while next(&mut socket).await.is_text() || pair.metrics.reconnects.get() == 0 {} })
        .await
        .unwrap();
    pair.accept().await;
    pair.stop().await;
}

#[tokio::test]
async fn a_frame_that_breaks_the_protocol_is_reported_and_costs_the_connection() {
    for (opcode, payload, expected) in
        [(0x81_u8, vec![0xff, 0xfe], "UTF-8"), (0x82, vec![0; 64], "too long"), (0x83, vec![1], "opcode")]
    {
        let mut pair = Pair::start(|plan| plan.messages.clear()).await;
        let socket = pair.accept().await;
        let mut raw = socket.into_inner();
        let mut bytes = vec![opcode];
        if expected == "too long" {
            bytes.push(127);
            bytes.extend_from_slice(&(2_u64 << 20).to_be_bytes());
        } else {
            bytes.push(payload.len() as u8);
        }
        bytes.extend_from_slice(&payload);
        raw.write_all(&bytes).await.unwrap();
        let reason = timeout(PATIENCE, pair.broken.recv()).await.expect(expected).unwrap();
        assert!(reason.to_lowercase().contains(&expected.to_lowercase()), "{reason}");
        pair.accept().await;
        pair.stop().await;
    }
}

#[tokio::test]
async fn frames_before_the_end_of_a_connection_count() {
    let mut pair = Pair::start(|plan| plan.messages.clear()).await;
    let mut socket = pair.accept().await;
    for number in 0..10 {
        socket.feed(Message::text(format!("{number}"))).await.unwrap();
    }
    socket.close(None).await.unwrap();
    for number in 0..10 {
        assert_eq!(pair.frame().await, format!("{number}").as_bytes());
    }
    pair.stop().await;
}

#[tokio::test]
async fn shutdown_ends_a_session_in_every_state() {
    let pair = Pair::start(|plan| plan.url = "ws://127.0.0.1:1/nobody".to_owned()).await;
    tokio::time::sleep(Duration::from_millis(50)).await;
    pair.stop().await;

    let pair = Pair::start(|_| {}).await;
    let _never_answered = pair.listener.accept().await.unwrap();
    pair.stop().await;
}
