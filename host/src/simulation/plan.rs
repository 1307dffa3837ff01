//! What a simulated day is like: everything follows from its seed. Each trouble is there on some days only, so that days
//! differ in what meets what.

use std::time::Duration;

use fastrand::Rng;

use crate::plugin::TradeIds;
use crate::sink::DeliveryLuck;

/// A day.
#[derive(Clone, Debug)]
pub(super) struct Plan {
    pub(super) seed: u64,
    pub(super) exchange: ExchangePlan,
    pub(super) host: HostPlan,
    /// How long trouble lasts.
    pub(super) trouble: Duration,
    pub(super) connections: ConnectionLuck,
    pub(super) rest: RestLuck,
    pub(super) deliveries: DeliveryLuck,
    /// Mean times between events; none if there are none.
    pub(super) kills: Option<Duration>,
    pub(super) exchange_away: Option<Duration>,
    pub(super) kafka_away: Option<Duration>,
    pub(super) announcements: Option<Duration>,
}

/// What the exchange is like.
#[derive(Clone, Debug)]
pub(super) struct ExchangePlan {
    pub(super) ids: TradeIds,
    /// Mean pause between the trades of each market.
    pub(super) paces: Vec<Duration>,
    pub(super) lifetime: Option<Duration>,
    /// Whether it confirms subscriptions.
    pub(super) confirms: bool,
    /// Trades that it sends on subscription.
    pub(super) snapshot: usize,
    /// Whether one message subscribes all markets.
    pub(super) subscribes_at_once: bool,
    pub(super) idle: Duration,
    pub(super) ping: bool,
    /// Most time from a trade to its frame, ms.
    pub(super) latency_ms: u64,
    /// Trades of a page of its history.
    pub(super) page: usize,
    /// How far its history is behind.
    pub(super) lag: Duration,
    /// How far its clock is ahead of the host's, µs.
    pub(super) ahead_us: i64,
}

/// How the host is configured.
#[derive(Clone, Debug)]
pub(super) struct HostPlan {
    pub(super) sessions: u32,
    pub(super) queue_messages: u32,
    pub(super) spool_bytes: Option<u64>,
    pub(super) patience: Duration,
    pub(super) give_up: Duration,
    pub(super) drain: Duration,
    /// Longest pause between attempts to connect.
    pub(super) longest_pause: Duration,
}

/// What befalls connections; chances in parts of a thousand.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct ConnectionLuck {
    pub(super) refused: u32,
    /// Nobody answers.
    pub(super) hangs: u32,
    /// No WebSocket is spoken.
    pub(super) no_handshake: u32,
    /// Mean life until it is cut.
    pub(super) cut: Option<Duration>,
    /// Of those that are cut, how many only fall silent.
    pub(super) half_open: u32,
    /// For each market.
    pub(super) subscription_refused: u32,
    pub(super) subscription_ignored: u32,
    /// For each frame.
    pub(super) reordered: u32,
    pub(super) repeated: u32,
    pub(super) lost: u32,
    pub(super) garbled: u32,
    pub(super) protocol_broken: u32,
    pub(super) stalls: u32,
}

/// What befalls requests; chances in parts of a thousand.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct RestLuck {
    pub(super) too_many: u32,
    pub(super) banned: u32,
    pub(super) broken: u32,
    pub(super) unavailable: u32,
    pub(super) slow: u32,
    pub(super) hangs: u32,
    pub(super) unreachable: u32,
    /// For each trade: it never shows up in the history.
    pub(super) hidden: u32,
}

fn seconds(rng: &mut Rng, least: f64, most: f64) -> Duration {
    // As many short ones as long ones: each magnitude is as likely.
    Duration::from_secs_f64(least * (most / least).powf(rng.f64()))
}

/// A trouble that is there on half of the days.
fn chance(rng: &mut Rng, most: u32) -> u32 {
    if rng.bool() { rng.u32(1..=most) } else { 0 }
}

fn sometimes(rng: &mut Rng, least: f64, most: f64) -> Option<Duration> {
    rng.bool().then(|| seconds(rng, least, most))
}

impl Plan {
    pub(super) fn of(seed: u64) -> Self {
        let rng = &mut Rng::with_seed(seed);
        let ids = [TradeIds::Dense, TradeIds::Dense, TradeIds::Aggregated, TradeIds::Increasing, TradeIds::Opaque]
            [rng.usize(0..5)];
        // Where ids show nothing, nobody can know of trades that an exchange keeps to itself, or tells in disorder.
        let shows = ids.show_gaps();
        let patience = seconds(rng, 0.2, 3.0);
        let exchange = ExchangePlan {
            ids,
            paces: (0..rng.usize(1..=3)).map(|_| seconds(rng, 0.3, 20.0)).collect(),
            lifetime: sometimes(rng, 60.0, 600.0),
            confirms: rng.u32(0..4) > 0,
            snapshot: if rng.bool() { rng.usize(1..=20) } else { 0 },
            subscribes_at_once: rng.bool(),
            idle: seconds(rng, 5.0, 60.0),
            ping: rng.bool(),
            latency_ms: rng.u64(1..=200),
            page: rng.usize(2..=200),
            lag: if shows { seconds(rng, 0.05, 30.0) } else { patience.mul_f64(0.5) },
            ahead_us: rng.i64(-5_000_000..5_000_000),
        };
        let host = HostPlan {
            sessions: if rng.u32(0..4) == 0 { 2 } else { 1 },
            queue_messages: rng.u32(20..2_000),
            spool_bytes: rng.bool().then(|| rng.u64(20_000..2_000_000)),
            patience,
            give_up: seconds(rng, 120.0, 3_600.0),
            drain: seconds(rng, 2.0, 20.0),
            longest_pause: seconds(rng, 2.0, 10.0),
        };
        let confirms = exchange.confirms;
        let connections = ConnectionLuck {
            refused: chance(rng, 400),
            hangs: chance(rng, 200),
            no_handshake: chance(rng, 200),
            cut: sometimes(rng, 10.0, 300.0),
            half_open: chance(rng, 700),
            subscription_refused: if confirms { chance(rng, 300) } else { 0 },
            subscription_ignored: if confirms { chance(rng, 300) } else { 0 },
            reordered: if shows { chance(rng, 200) } else { 0 },
            repeated: chance(rng, 200),
            lost: if shows { chance(rng, 100) } else { 0 },
            garbled: chance(rng, 50),
            protocol_broken: chance(rng, 10),
            stalls: chance(rng, 20),
        };
        let rest = RestLuck {
            too_many: chance(rng, 300),
            banned: chance(rng, 100),
            broken: chance(rng, 300),
            unavailable: chance(rng, 200),
            slow: chance(rng, 200),
            hangs: chance(rng, 100),
            unreachable: chance(rng, 300),
            hidden: if shows && rng.u32(0..4) == 0 { rng.u32(1..=50) } else { 0 },
        };
        Self {
            seed,
            exchange,
            host,
            trouble: seconds(rng, 120.0, 900.0),
            connections,
            rest,
            deliveries: DeliveryLuck { refused: chance(rng, 50), fatal: chance(rng, 10) },
            kills: sometimes(rng, 5.0, 200.0),
            exchange_away: sometimes(rng, 60.0, 600.0),
            kafka_away: sometimes(rng, 60.0, 600.0),
            announcements: sometimes(rng, 60.0, 600.0),
        }
    }

    /// Names of the markets.
    pub(super) fn markets(&self) -> Vec<String> {
        (0..self.exchange.paces.len()).map(|number| format!("M{number}/USD")).collect()
    }
}
