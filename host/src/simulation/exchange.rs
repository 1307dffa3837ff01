//! The simulated exchange: it trades, takes connections, and has its troubles.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use fastrand::Rng;
use futures_util::FutureExt as _;
use tokio::time::{Instant, sleep};

use super::link;
use super::plugin::{CONNECTS, MESSAGES};
use super::world::{Frame, World, within};
use crate::session::{Network, Pipe, Watch};

/// Bytes that lie between host and exchange.
const PIPE_BYTES: usize = 16 << 10;

/// A time whose mean is this, as of events that come at random.
pub(super) fn around(rng: &mut Rng, mean: Duration) -> Duration {
    mean.mul_f64(-(1.0 - rng.f64()).ln())
}

impl World {
    /// Lets a market trade for as long as it is polled.
    pub(super) async fn trade(self: Arc<Self>, market: usize) {
        let mut rng = self.fork();
        loop {
            sleep(around(&mut rng, self.plan.exchange.paces[market])).await;
            self.publish(market);
        }
    }

    /// Trades once, and tells everybody who subscribed.
    pub(super) fn publish(&self, market: usize) {
        let now_us = crate::clock::now_us();
        let mut state = self.state();
        let state = &mut *state;
        let lines =
            state.markets[market].publish(now_us, self.plan.exchange.ahead_us, state.rest.hidden, &mut state.rng);
        state.tally.trades += lines.lines().count() as u64;
        state.note(self.began, format_args!("publish {}", lines.trim_end().replace('\n', "; ")));
        for link in state.links.values_mut().filter(|link| link.markets.contains(&market)) {
            let latency = Duration::from_millis(state.rng.u64(0..=self.plan.exchange.latency_ms));
            let frame = Frame { text: lines.clone(), due: Instant::now() + latency, is_trade: true };
            link.waiting += 1;
            // A connection that has just ended takes no more.
            let _ = link.frames.send(frame);
        }
    }

    /// The way of one session to the exchange.
    pub(super) fn network(self: &Arc<Self>, session: u32) -> Network {
        let world = Arc::clone(self);
        Arc::new(move || Arc::clone(&world).dialled(session).boxed())
    }

    async fn dialled(self: Arc<Self>, session: u32) -> Result<Pipe, String> {
        let (number, fate, latency) = {
            let mut state = self.state();
            if !within(&mut state.attempts, CONNECTS) {
                state.broken(self.began, "more connection attempts than the exchange takes");
            }
            let open = state.open.entry(session).or_default();
            *open += 1;
            if *open > 2 {
                state.broken(self.began, format_args!("session {session} has three connections"));
            }
            state.dialled += 1;
            state.tally.connections += 1;
            let (number, luck) = (state.dialled, state.connections);
            state.note(self.began, format_args!("session {session} dials {number}"));
            let fate = if state.is_away || state.chance(luck.refused) {
                Err("the connection was refused".to_owned())
            } else {
                Ok(state.chance(luck.hangs))
            };
            (number, fate, Duration::from_millis(state.rng.u64(1..=self.plan.exchange.latency_ms * 2)))
        };
        let open = Open { world: Arc::clone(&self), session, number, messages: VecDeque::new(), is_up: false };
        sleep(latency).await;
        if fate? {
            std::future::pending::<()>().await;
        }
        let (host, exchange) = tokio::io::duplex(PIPE_BYTES);
        tokio::spawn(link::serve(self, number, exchange));
        Ok(Pipe { stream: host, watch: Box::new(open) })
    }

    /// The exchange is away now and then.
    pub(super) async fn weather(self: Arc<Self>, mean: Duration) {
        let mut rng = self.fork();
        loop {
            sleep(around(&mut rng, mean)).await;
            let long = Duration::from_millis(rng.u64(1_000..=90_000));
            self.note(format_args!("the exchange is away for {long:?}"));
            {
                let mut state = self.state();
                state.is_away = true;
                // A connection whose sender is gone ends.
                state.links.clear();
            }
            sleep(long).await;
            self.state().is_away = false;
            self.note("the exchange is back");
        }
    }

    /// The exchange announces now and then that it cuts all connections, and does so.
    pub(super) async fn maintenance(self: Arc<Self>, mean: Duration) {
        let mut rng = self.fork();
        loop {
            sleep(around(&mut rng, mean)).await;
            let announced: Vec<u64> = {
                let mut state = self.state();
                state.note(self.began, "the exchange announces a shutdown");
                let frame = Frame { text: "x".to_owned(), due: Instant::now(), is_trade: false };
                for link in state.links.values_mut() {
                    link.waiting += 1;
                    let _ = link.frames.send(frame.clone());
                }
                state.links.keys().copied().collect()
            };
            sleep(Duration::from_secs(10)).await;
            self.state().links.retain(|number, _| !announced.contains(number));
        }
    }

    /// Kafka is away now and then.
    pub(super) async fn kafka_weather(self: Arc<Self>, mean: Duration) {
        let mut rng = self.fork();
        loop {
            sleep(around(&mut rng, mean)).await;
            let long = Duration::from_millis(rng.u64(200..=60_000));
            self.note(format_args!("kafka is away for {long:?}"));
            self.broker.set_away(true);
            sleep(long).await;
            self.broker.set_away(false);
            self.note("kafka is back");
        }
    }
}

/// A connection that the host has, or tries to have.
struct Open {
    world: Arc<World>,
    session: u32,
    number: u64,
    messages: VecDeque<Instant>,
    /// Whether the handshake is over.
    is_up: bool,
}

impl Watch for Open {
    fn written(&mut self) {
        if std::mem::replace(&mut self.is_up, true) && !within(&mut self.messages, MESSAGES) {
            self.world.broken(format_args!("connection {}: more messages than the exchange takes", self.number));
        }
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        if let Some(open) = self.world.state().open.get_mut(&self.session) {
            *open -= 1;
        }
    }
}
