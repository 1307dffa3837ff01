//! One connection to the simulated exchange, on its side.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use fastrand::Rng;
use futures_util::{SinkExt as _, StreamExt as _};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio::time::{Instant, MissedTickBehavior, sleep, sleep_until, timeout};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::frame::coding::{Data, OpCode};
use tokio_tungstenite::{WebSocketStream, accept_async};

use super::exchange::around;
use super::plan::ConnectionLuck;
use super::world::{Frame, Link, World};

/// Frames that wait for a slow reader before the exchange cuts it.
const MOST_WAITING: usize = 2_000;

/// How long the exchange waits for a reader that takes nothing.
const PATIENCE: Duration = Duration::from_secs(30);

/// A connection that is up.
struct Server {
    world: Arc<World>,
    number: u64,
    rng: Rng,
    socket: WebSocketStream<DuplexStream>,
    frames: UnboundedReceiver<Frame>,
    /// A frame that others go before.
    held_back: Option<Frame>,
    /// Whether a ping or a question is unanswered. An exchange waits for the answer, and asks no more before.
    is_asking: bool,
}

/// Why the exchange does no more for a connection.
enum End {
    /// It is cut without a word.
    Cut,
    /// Nothing comes any more, and nobody says so.
    HalfOpen,
    /// The host has closed it, or is gone.
    Closed,
}

/// Serves a connection to its end.
pub(super) async fn serve(world: Arc<World>, number: u64, mut stream: DuplexStream) {
    let (mut rng, luck) = {
        let mut state = world.state();
        (state.rng.fork(), state.connections)
    };
    if rng.u32(0..1000) < luck.no_handshake {
        let mut request = [0; 2048];
        let _ = stream.read(&mut request).await;
        let _ = stream.write_all(b"HTTP/1.1 503 Service Unavailable\r\ncontent-length: 0\r\n\r\n").await;
        return;
    }
    let Ok(socket) = accept_async(stream).await else { return };
    let (sender, frames) = unbounded_channel();
    let link = Link { markets: BTreeSet::new(), frames: sender, waiting: 0 };
    world.state().links.insert(number, link);
    let mut server = Server { world, number, rng, socket, frames, held_back: None, is_asking: false };
    let end = server.live().await;
    server.end(end).await;
}

impl Server {
    async fn live(&mut self) -> End {
        let lifetime = self.world.plan.exchange.lifetime.map(|lifetime| Instant::now() + lifetime);
        let accident = self.luck().cut.map(|mean| Instant::now() + around(&mut self.rng, mean));
        let over = lifetime.into_iter().chain(accident).min();
        let beat = self.world.plan.exchange.idle / 3;
        let mut beats = tokio::time::interval_at(Instant::now() + beat, beat);
        beats.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let next = tokio::select! {
                biased;
                () = sleep_until(over.unwrap_or_else(Instant::now)), if over.is_some() => {
                    let is_accident = accident == over;
                    let half_open = is_accident && self.rng.u32(0..1000) < self.luck().half_open;
                    return if half_open { End::HalfOpen } else { End::Cut };
                }
                message = self.socket.next() => match message {
                    Some(Ok(message)) => self.heard(message).await,
                    Some(Err(_)) | None => return End::Closed,
                },
                frame = self.frames.recv() => match frame {
                    Some(frame) => self.tell(frame).await,
                    // The exchange forgot it.
                    None => return End::Cut,
                },
                _ = beats.tick() => self.beat().await,
            };
            if let Err(end) = next {
                return end;
            }
        }
    }

    async fn end(mut self, end: End) {
        let what = match end {
            End::Cut => "cut",
            End::HalfOpen => "half-open",
            End::Closed => "closed",
        };
        {
            let mut state = self.world.state();
            state.links.remove(&self.number);
            state.note(self.world.began, format_args!("connection {} is {what}", self.number));
        }
        if let End::HalfOpen = end {
            // What the host sends is swallowed, until it gives up.
            let mut bytes = [0; 1024];
            let stream = self.socket.get_mut();
            while stream.read(&mut bytes).await.is_ok_and(|read| read > 0) {}
        }
    }

    /// What befalls connections now.
    fn luck(&self) -> ConnectionLuck {
        self.world.state().connections
    }

    async fn heard(&mut self, message: Message) -> Result<(), End> {
        match message {
            Message::Pong(_) => {
                self.is_asking = false;
                Ok(())
            }
            Message::Text(text) => match text.split_once(' ') {
                Some(("s", markets)) => {
                    for market in markets.split(' ').filter_map(|market| market.parse().ok()) {
                        self.subscribe(market).await?;
                    }
                    Ok(())
                }
                // A ping of the plugin's.
                _ if text.as_str() == "p" => self.send("h".to_owned()).await,
                // An answer to what was asked.
                _ => {
                    self.is_asking = false;
                    Ok(())
                }
            },
            _ => Ok(()),
        }
    }

    async fn subscribe(&mut self, market: usize) -> Result<(), End> {
        sleep(Duration::from_millis(self.rng.u64(0..=self.world.plan.exchange.latency_ms))).await;
        if self.rng.u32(0..1000) < self.luck().subscription_ignored {
            return Ok(());
        }
        if self.rng.u32(0..1000) < self.luck().subscription_refused {
            return self.send(format!("r {market}")).await;
        }
        let snapshot = {
            let mut state = self.world.state();
            let Some(link) = state.links.get_mut(&self.number) else { return Err(End::Cut) };
            link.markets.insert(market);
            state.note(self.world.began, format_args!("connection {} has market {market}", self.number));
            state.markets[market].snapshot(self.world.plan.exchange.snapshot)
        };
        if self.world.plan.exchange.confirms {
            self.send(format!("a {market}")).await?;
        }
        if snapshot.is_empty() { Ok(()) } else { self.send(snapshot).await }
    }

    /// A frame whose turn it is, with what befalls frames.
    async fn tell(&mut self, frame: Frame) -> Result<(), End> {
        let waiting = {
            let mut state = self.world.state();
            let link = state.links.get_mut(&self.number);
            link.map_or(0, |link| {
                link.waiting -= 1;
                link.waiting
            })
        };
        if waiting > MOST_WAITING {
            return Err(End::Cut);
        }
        sleep_until(frame.due).await;
        let luck = self.luck();
        let mut chance = |thousandth: u32| self.rng.u32(0..1000) < thousandth;
        if !frame.is_trade {
            return self.send(frame.text).await;
        }
        let (lost, reordered, repeated) = (chance(luck.lost), chance(luck.reordered), chance(luck.repeated));
        let (garbled, broken, stalls) = (chance(luck.garbled), chance(luck.protocol_broken), chance(luck.stalls));
        if stalls {
            sleep(Duration::from_millis(self.rng.u64(1..=8_000))).await;
        }
        if lost {
            return Ok(());
        }
        if garbled {
            self.send("?".to_owned()).await?;
        }
        if broken {
            let bytes = Message::Frame(tokio_tungstenite::tungstenite::protocol::frame::Frame::message(
                vec![0xff_u8, 0xfe],
                OpCode::Data(Data::Text),
                true,
            ));
            return timeout(PATIENCE, self.socket.send(bytes)).await.map_or(Err(End::Cut), |_| Ok(()));
        }
        if reordered && self.held_back.is_none() {
            self.held_back = Some(frame);
            return Ok(());
        }
        self.send(frame.text.clone()).await?;
        if repeated {
            self.send(frame.text).await?;
        }
        match self.held_back.take() {
            Some(late) => self.send(late.text).await,
            None => Ok(()),
        }
    }

    async fn beat(&mut self) -> Result<(), End> {
        if let Some(late) = self.held_back.take() {
            self.send(late.text).await?;
        }
        let asks = self.rng.u32(0..3);
        if self.is_asking || asks == 0 {
            return self.send("h".to_owned()).await;
        }
        self.is_asking = true;
        match asks {
            1 => self.send("q".to_owned()).await,
            _ => self.put(Message::Ping(Vec::new().into())).await,
        }
    }

    async fn send(&mut self, text: String) -> Result<(), End> {
        self.put(Message::text(text)).await
    }

    async fn put(&mut self, message: Message) -> Result<(), End> {
        match timeout(PATIENCE, self.socket.send(message)).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) => Err(End::Closed),
            Err(_) => Err(End::Cut),
        }
    }
}
