//! Everything outside the host: the exchange with its markets, Kafka, and what is written down of the day.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::fmt::Display;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use fastrand::Rng;
use tokio::sync::mpsc::UnboundedSender;
use tokio::time::Instant;

use super::market::{Market, Position};
use super::plan::{ConnectionLuck, Plan, RestLuck};
use crate::plugin::Rate;
use crate::sink::{Broker, DeliveryRecord};

/// A simulated day's world. Shared by its tasks, of which one runs at a time.
pub(super) struct World {
    pub(super) plan: Arc<Plan>,
    pub(super) broker: Broker,
    pub(super) began: Instant,
    state: Arc<Mutex<State>>,
}

/// What changes.
pub(super) struct State {
    pub(super) rng: Rng,
    pub(super) connections: ConnectionLuck,
    pub(super) rest: RestLuck,
    pub(super) is_away: bool,
    pub(super) markets: Vec<Market>,
    pub(super) links: BTreeMap<u64, Link>,
    pub(super) dialled: u64,
    /// Connections that a session has, in the host's eyes.
    pub(super) open: BTreeMap<u32, usize>,
    pub(super) attempts: VecDeque<Instant>,
    pub(super) requests: VecDeque<Instant>,
    /// REST wants to be left alone until then.
    pub(super) closed_until: Option<Instant>,
    pub(super) positions: HashMap<Vec<u8>, Vec<u8>>,
    pub(super) life: Life,
    give_up_us: i64,
    pub(super) journal: Journal,
    pub(super) tally: Tally,
}

/// A connection, on the exchange's side.
pub(super) struct Link {
    pub(super) markets: BTreeSet<usize>,
    pub(super) frames: UnboundedSender<Frame>,
    pub(super) waiting: usize,
}

/// A frame on its way.
#[derive(Clone, Debug)]
pub(super) struct Frame {
    pub(super) text: String,
    pub(super) due: Instant,
    /// Whether frames of its kind may be lost, repeated and reordered.
    pub(super) is_trade: bool,
}

/// One life of the host.
#[derive(Default)]
pub(super) struct Life {
    pub(super) number: u32,
    pub(super) began_us: i64,
    /// Deliveries that were refused before it began.
    pub(super) refusals: u64,
}

/// What is written down.
#[derive(Default)]
pub(super) struct Journal {
    pub(super) lines: Vec<String>,
    /// The first promise that was broken.
    pub(super) broken: Option<String>,
}

/// What a day had of everything.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Tally {
    pub(super) trades: u64,
    pub(super) records: u64,
    pub(super) connections: u64,
    pub(super) requests: u64,
    pub(super) kills: u64,
    pub(super) stops: u64,
    pub(super) backfilled: u64,
    pub(super) listed: u64,
    pub(super) repeated: u64,
    pub(super) spooled: u64,
}

impl std::ops::Add for Tally {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            trades: self.trades + other.trades,
            records: self.records + other.records,
            connections: self.connections + other.connections,
            requests: self.requests + other.requests,
            kills: self.kills + other.kills,
            stops: self.stops + other.stops,
            backfilled: self.backfilled + other.backfilled,
            listed: self.listed + other.listed,
            repeated: self.repeated + other.repeated,
            spooled: self.spooled + other.spooled,
        }
    }
}

impl World {
    pub(super) fn new(plan: Arc<Plan>) -> Arc<Self> {
        let mut rng = Rng::with_seed(plan.seed ^ 0x5eed);
        let markets =
            (0..plan.exchange.paces.len()).map(|number| Market::new(number, plan.exchange.ids, &mut rng)).collect();
        let broker_rng = rng.fork();
        let state = State {
            rng,
            connections: plan.connections,
            rest: plan.rest,
            is_away: false,
            markets,
            links: BTreeMap::new(),
            dialled: 0,
            open: BTreeMap::new(),
            attempts: VecDeque::new(),
            requests: VecDeque::new(),
            closed_until: None,
            positions: HashMap::new(),
            life: Life::default(),
            give_up_us: i64::try_from(plan.host.give_up.as_micros()).unwrap_or(i64::MAX),
            journal: Journal::default(),
            tally: Tally::default(),
        };
        let (state, began) = (Arc::new(Mutex::new(state)), Instant::now());
        let appended = {
            let state = Arc::clone(&state);
            move |record: &DeliveryRecord, refusals| lock(&state).appended(record, refusals, began)
        };
        let broker = Broker::new(broker_rng, appended);
        broker.set_luck(plan.deliveries);
        Arc::new(Self { plan, broker, began, state })
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }

    pub(super) fn fork(&self) -> Rng {
        self.state().rng.fork()
    }

    pub(super) fn note(&self, what: impl Display) {
        self.state().note(self.began, what);
    }

    pub(super) fn broken(&self, promise: impl Display) {
        self.state().broken(self.began, promise);
    }

    /// A host begins to live: it knows nothing of what the one before it was told.
    pub(super) fn begin_life(&self) {
        let refusals = self.broker.refusals();
        let mut state = self.state();
        let number = state.life.number + 1;
        state.life = Life { number, began_us: crate::clock::now_us(), refusals };
        state.attempts.clear();
        state.requests.clear();
        state.closed_until = None;
        state.note(self.began, format_args!("host {number} starts"));
    }

    /// The newest position of every market that Kafka has.
    pub(super) fn positions(&self) -> HashMap<Vec<u8>, Vec<u8>> {
        self.state().positions.clone()
    }

    /// Ends all trouble, and mends what it broke.
    pub(super) fn calm(&self) {
        self.note("trouble ends");
        self.broker.set_away(false);
        self.broker.set_luck(Default::default());
        let mut state = self.state();
        state.is_away = false;
        state.connections = ConnectionLuck::default();
        state.rest = RestLuck::default();
    }
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

impl State {
    pub(super) fn chance(&mut self, thousandth: u32) -> bool {
        self.rng.u32(0..1000) < thousandth
    }

    pub(super) fn note(&mut self, began: Instant, what: impl Display) {
        tracing::info!("{what}");
        self.journal.lines.push(format!("{:>10.3} {what}", began.elapsed().as_secs_f64()));
    }

    pub(super) fn broken(&mut self, began: Instant, promise: impl Display) {
        self.note(began, format_args!("BROKEN: {promise}"));
        if self.journal.broken.is_none() {
            self.journal.broken = Some(promise.to_string());
        }
    }

    /// A record is in Kafka for good.
    fn appended(&mut self, record: &DeliveryRecord, refusals: u64, began: Instant) {
        self.tally.records += 1;
        let text = String::from_utf8_lossy(&record.payload).into_owned();
        let kind = record.topic.rsplit('.').next().unwrap_or_default().to_owned();
        let what = match kind.as_str() {
            "dead-letters" => Ok(()),
            "gaps" => self.gap(record, &text),
            "positions" => self.position(record, &text),
            _ => self.trade(record, refusals, &text, began),
        };
        if kind != "simulated" {
            self.note(began, format_args!("kafka {kind} {text}"));
        }
        if let Err(promise) = what {
            self.broken(began, promise);
        }
    }

    fn market(&mut self, key: &[u8]) -> Option<&mut Market> {
        let number = String::from_utf8_lossy(key);
        let number = number.strip_prefix("simulated:M")?.strip_suffix("/USD")?.parse::<usize>().ok()?;
        self.markets.get_mut(number)
    }

    fn trade(&mut self, record: &DeliveryRecord, refusals: u64, text: &str, began: Instant) -> Result<(), String> {
        #[derive(serde::Deserialize)]
        struct Line {
            trade_id: String,
            received_at_us: i64,
            source: String,
        }
        let line: Line = serde_json::from_str(text).map_err(|error| format!("{text} is no trade: {error}"))?;
        let (life, began_us) = (self.life.number, self.life.began_us);
        let id = line.trade_id.trim_start_matches('x').parse().unwrap_or_default();
        let market = self.market(&record.key).ok_or_else(|| format!("{text} is of no market"))?;
        let trade = market.trade(id).ok_or_else(|| format!("{text} was never published"))?;
        let is_repeated = trade.is_kept;
        trade.is_kept = true;
        // What a former host left in its spool does not count as this one's.
        let by_this_life = line.received_at_us >= began_us;
        let twice = by_this_life && trade.kept_by == life;
        if by_this_life {
            trade.kept_by = life;
        }
        let (key, source) = (String::from_utf8_lossy(&record.key), &line.source);
        self.note(began, format_args!("kafka has {key} {id} {source}{}", if is_repeated { " again" } else { "" }));
        self.tally.repeated += u64::from(is_repeated);
        self.tally.backfilled += u64::from(line.source == "backfill");
        // A request that broke off may have been written in part; its records are delivered again.
        let is_certain = refusals == self.life.refusals;
        if twice && is_certain { Err(format!("one host delivered {text} twice")) } else { Ok(()) }
    }

    fn gap(&mut self, record: &DeliveryRecord, text: &str) -> Result<(), String> {
        #[derive(serde::Deserialize)]
        struct Line {
            state: String,
            first_id: Option<u64>,
            last_id: Option<u64>,
            start_us: i64,
            end_us: i64,
            reason: String,
            found_at_us: i64,
            at_us: i64,
        }
        let line: Line = serde_json::from_str(text).map_err(|error| format!("{text} is no gap: {error}"))?;
        if line.state != "missing" {
            return Ok(());
        }
        let (life, give_up_us) = (self.life.number, self.give_up_us);
        let market = self.market(&record.key).ok_or_else(|| format!("{text} is of no market"))?;
        let ids = line.first_id.zip(line.last_id);
        let listed = market.list(ids, (line.start_us, line.end_us));
        let count = listed.len() as u64;
        let wrong = listed.iter().find(|trade| {
            let is_known = ids.is_some() && trade.kept_by == life;
            let is_to_be_had = line.reason.contains("history") && !trade.is_hidden;
            let is_hasty = line.reason.contains("in vain") && line.at_us - line.found_at_us < give_up_us;
            is_known || is_to_be_had || is_hasty
        });
        let wrong = wrong.map(|trade| format!("{text} lists {trade:?}"));
        self.tally.listed += count;
        wrong.map_or(Ok(()), Err)
    }

    fn position(&mut self, record: &DeliveryRecord, text: &str) -> Result<(), String> {
        let position: Position = serde_json::from_str(text).map_err(|error| format!("{text} is none: {error}"))?;
        self.positions.insert(record.key.clone(), record.payload.clone());
        let market = self.market(&record.key).ok_or_else(|| format!("{text} is of no market"))?;
        market.positioned(position)
    }
}

/// Counts one more within a rate; false if it is one too many.
pub(super) fn within(times: &mut VecDeque<Instant>, rate: Rate) -> bool {
    // A timer's own grain is a millisecond.
    let window = rate.window.saturating_sub(Duration::from_millis(2));
    let now = Instant::now();
    while times.front().is_some_and(|at| now.duration_since(*at) >= window) {
        times.pop_front();
    }
    times.push_back(now);
    times.len() <= rate.count as usize
}
