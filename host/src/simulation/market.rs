//! One market of the simulated exchange: what it published, and what became of it in Kafka.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::ops::RangeInclusive;

use fastrand::Rng;

use crate::plugin::TradeIds;

/// An id as records and positions have it: a number, or text that ends with one.
fn number<'de, D: serde::Deserializer<'de>>(value: D) -> Result<u64, D::Error> {
    let value: serde_json::Value = serde::Deserialize::deserialize(value)?;
    let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    text.trim_start_matches('x').parse().map_err(serde::de::Error::custom)
}

/// An [`number`] among others.
#[derive(Clone, Copy, Debug, serde::Deserialize)]
struct Id(#[serde(deserialize_with = "number")] u64);

/// A trade that the exchange published.
#[derive(Clone, Debug)]
pub(super) struct Published {
    pub(super) id: u64,
    pub(super) count: u32,
    pub(super) time_us: i64,
    /// When it was published, by the host's clock.
    pub(super) at_us: i64,
    /// Whether the history never has it.
    pub(super) is_hidden: bool,
    /// Whether Kafka has it.
    pub(super) is_kept: bool,
    /// Whether it is listed as missing.
    pub(super) is_listed: bool,
    /// The host that delivered it last, and read it itself.
    pub(super) kept_by: u32,
}

/// A market.
#[derive(Debug)]
pub(super) struct Market {
    pub(super) number: usize,
    ids: TradeIds,
    next_id: u64,
    pub(super) trades: Vec<Published>,
    /// Trades by their ids.
    by_id: BTreeMap<u64, usize>,
    /// What the first position in Kafka counts from: id and time.
    pub(super) floor: Option<(u64, i64)>,
    /// Trades before this one are settled, as far as they are behind the floor.
    settled: usize,
    /// The newest position in Kafka.
    pub(super) position: Option<Position>,
}

/// What a position says.
#[derive(Clone, Debug, serde::Deserialize)]
pub(super) struct Position {
    pub(super) bounds: Option<(u64, u64)>,
    pub(super) timestamp_us: i64,
    id: Id,
    #[serde(default)]
    recent: Vec<Id>,
    #[serde(default)]
    pub(super) holes: Vec<Hole>,
}

/// What a position says is missing.
#[derive(Clone, Debug, serde::Deserialize)]
pub(super) struct Hole {
    ids: Option<(u64, u64)>,
    start_us: i64,
    end_us: i64,
}

impl Published {
    /// The ids that it stands for.
    fn ids(&self) -> RangeInclusive<u64> {
        self.id - u64::from(self.count) + 1..=self.id
    }

    pub(super) fn line(&self, market: usize, source: &str) -> String {
        let Self { id, count, time_us, .. } = self;
        format!("t {market} {id} {count} {time_us} {source}\n")
    }
}

impl Hole {
    fn has(&self, trade: &Published) -> bool {
        match self.ids {
            Some((first, last)) => trade.ids().any(|id| (first..=last).contains(&id)),
            None => (self.start_us..=self.end_us).contains(&trade.time_us),
        }
    }
}

impl Market {
    pub(super) fn new(number: usize, ids: TradeIds, rng: &mut Rng) -> Self {
        Self {
            number,
            ids,
            next_id: rng.u64(1..1_000_000),
            trades: Vec::new(),
            by_id: BTreeMap::new(),
            floor: None,
            settled: 0,
            position: None,
        }
    }

    /// Trades at this moment; returns what it says of them.
    pub(super) fn publish(&mut self, now_us: i64, ahead_us: i64, hidden: u32, rng: &mut Rng) -> String {
        let mut lines = String::new();
        let many = if rng.u32(0..10) == 0 { rng.u32(2..8) } else { 1 };
        for _ in 0..many {
            let count = if self.ids == TradeIds::Aggregated { rng.u32(1..6) } else { 1 };
            let hole = if !self.ids.show_gaps() { rng.u64(0..5) } else { 0 };
            let id = self.next_id + u64::from(count) - 1 + hole;
            self.next_id = id + 1;
            let trade = Published {
                id,
                count,
                // Cut to milliseconds: several may have the same.
                time_us: (now_us + ahead_us) / 1_000 * 1_000,
                at_us: now_us,
                is_hidden: rng.u32(0..1000) < hidden,
                is_kept: false,
                is_listed: false,
                kept_by: 0,
            };
            lines.push_str(&trade.line(self.number, "live"));
            self.by_id.insert(id, self.trades.len());
            self.trades.push(trade);
        }
        lines
    }

    pub(super) fn trade(&mut self, id: u64) -> Option<&mut Published> {
        self.by_id.get(&id).map(|index| &mut self.trades[*index])
    }

    /// The newest trades, as the exchange tells them to who subscribes.
    pub(super) fn snapshot(&self, most: usize) -> String {
        let newest = &self.trades[self.trades.len().saturating_sub(most)..];
        newest.iter().map(|trade| trade.line(self.number, "snapshot")).collect()
    }

    /// A page of the history as far as it has come, and behind it the query for the next one.
    pub(super) fn page(&self, query: &[u64], by_time: bool, until_us: i64, most: usize) -> Option<String> {
        let visible = |trade: &&Published| !trade.is_hidden && trade.at_us <= until_us;
        let matches = |trade: &&Published| match *query {
            [after, before] if !by_time => after < trade.id && trade.id < before,
            [start, end, known] if by_time => {
                let time = trade.time_us as u64;
                (start, known) < (time, trade.id) && time <= end
            }
            _ => false,
        };
        let mut found = self.trades.iter().filter(visible).filter(matches);
        let page: Vec<_> = found.by_ref().take(most).collect();
        let mut text: String = page.iter().map(|trade| trade.line(self.number, "backfill")).collect();
        if let (Some(last), Some(_)) = (page.last(), found.next()) {
            let (url, market) = (super::plugin::REST, self.number);
            let query = match *query {
                [_, before] => format!("ids/{market}/{}/{before}", last.id),
                [_, end, _] => format!("times/{market}/{}/{end}/{}", last.time_us, last.id),
                _ => return None,
            };
            let _ = writeln!(text, "next {url}/{query}");
        }
        Some(text)
    }

    /// Lists trades as missing; whatever is wrong with that.
    pub(super) fn list(&mut self, ids: Option<(u64, u64)>, times: (i64, i64)) -> Vec<&Published> {
        let hole = Hole { ids, start_us: times.0, end_us: times.1 };
        let first = self.trades.partition_point(|trade| match ids {
            Some((first, _)) => trade.id < first,
            None => trade.time_us < times.0,
        });
        let mut listed = Vec::new();
        for trade in self.trades[first..].iter_mut() {
            let is_behind = match ids {
                Some((_, last)) => *trade.ids().start() > last,
                None => trade.time_us > times.1,
            };
            if is_behind {
                break;
            }
            if hole.has(trade) {
                trade.is_listed = true;
                listed.push(&*trade);
            }
        }
        listed
    }

    /// Takes a position that is in Kafka now. What it says to be there must be there, or listed as missing.
    pub(super) fn positioned(&mut self, position: Position) -> Result<(), String> {
        let floor = *self.floor.get_or_insert(match position.bounds {
            Some((first, _)) => (first, i64::MIN),
            None => (0, position.timestamp_us),
        });
        let is_required = |trade: &Published| *trade.ids().end() >= floor.0 && trade.time_us > floor.1;
        let settled = self.trades[self.settled..].iter();
        self.settled += settled.take_while(|trade| trade.is_kept || trade.is_listed || !is_required(trade)).count();
        let is_counted = |trade: &Published| match position.bounds {
            Some((first, newest)) => first <= *trade.ids().start() && trade.id <= newest,
            // There may be others of the same time, which are asked for again.
            None => trade.time_us < position.timestamp_us,
        };
        let is_hole = |trade: &Published| position.holes.iter().any(|hole| hole.has(trade));
        let unsettled = |trade: &&Published| {
            is_required(trade) && is_counted(trade) && !trade.is_kept && !trade.is_listed && !is_hole(trade)
        };
        if let Some(trade) = self.trades[self.settled..].iter().find(unsettled) {
            return Err(format!("market {}: {position:?} counts {trade:?}, which Kafka has not got", self.number));
        }
        let known = [&position.id].into_iter().chain(&position.recent);
        for Id(id) in known {
            if !self.by_id.get(id).is_some_and(|index| self.trades[*index].is_kept) {
                let (id, number) = (*id, self.number);
                return Err(format!("market {number}: a position knows trade {id}, which Kafka has not got"));
            }
        }
        self.position = Some(position);
        Ok(())
    }

    /// Whether the newest position counts everything that was published, without a hole.
    pub(super) fn is_settled(&self) -> bool {
        let (Some(position), Some(last)) = (&self.position, self.trades.last()) else { return self.trades.is_empty() };
        let is_newest = match position.bounds {
            Some((_, newest)) => newest == last.id,
            None => position.timestamp_us == last.time_us,
        };
        is_newest && position.holes.is_empty()
    }

    /// A trade behind the floor that is neither in Kafka nor listed as missing.
    pub(super) fn lost(&self) -> Option<&Published> {
        let (id, time_us) = self.floor?;
        self.trades
            .iter()
            .find(|trade| !trade.is_kept && !trade.is_listed && *trade.ids().end() >= id && trade.time_us > time_us)
    }
}
