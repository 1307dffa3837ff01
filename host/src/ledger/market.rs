//! What is known of one market's trades.

use std::ops::RangeInclusive;
use std::time::Duration;

use tokio::time::Instant;

use super::coverage::{Came, Coverage};
use super::gap::{Attempt, Due, Gap, GapState, Notice, Span, Stage};
use super::position::{Hole, Position};
use super::recent::Recent;
use crate::plugin::TradeIds;
use crate::trade::{Source, Trade, TradeId};

/// The most gaps of a market that are cared for at once; a further one is given up with that reason.
const MAX_GAPS: usize = 256;

/// An exchange's history may lag behind its feed: how long to wait after each answer that does not have all.
const LAGS: [Duration; 4] =
    [Duration::from_secs(2), Duration::from_secs(10), Duration::from_secs(60), Duration::from_secs(600)];

/// How long a market may be silent after an interruption before it is asked whether there was anything.
const SILENCE: Duration = Duration::from_secs(10);

/// How far the exchange's clock may be ahead of ours.
const AHEAD_US: i64 = 60_000_000;

/// The largest jump of ids that is believed to be a gap.
const LARGEST_GAP: u64 = 100_000_000;

/// An exchange that begins its ids anew sends known ids with times this much later than all before.
const ANEW_US: i64 = 60_000_000;

/// One market.
#[derive(Debug)]
pub(super) struct MarketLedger {
    ids: TradeIds,
    /// Ids that were let through.
    seen: Coverage,
    /// Ids that were handed to Kafka's producer, or given up.
    sent: Coverage,
    /// The newest ids that were let through, where ids show nothing.
    recent: Recent,
    /// The newest ids that were handed to Kafka's producer, where ids show nothing.
    recent_sent: Recent,
    /// Latest time of a trade that was let through, µs, and its id.
    latest: Option<(i64, TradeId)>,
    /// Latest time of a trade that was handed to Kafka's producer, µs, and its id.
    latest_sent: Option<(i64, TradeId)>,
    /// The latest trade before a time without a connection, if none was pushed since: others may have been missed behind it.
    /// What is told on subscription or asked for afterwards comes later, and says nothing of what lies between.
    interrupted: Option<(i64, TradeId)>,
    /// Connections that bring its trades.
    ways: Vec<Way>,
    /// Since when one does again.
    resumed: Option<Instant>,
    gaps: Vec<Gap>,
    /// What is given up, but not yet on its way to who is to know of it.
    untold: Vec<Span>,
    numbers: u64,
    notices: Vec<Notice>,
    changed: bool,
}

/// A connection that brings a market's trades, in their order.
#[derive(Debug)]
struct Way {
    number: u64,
    /// Up to where nothing is missing that it was to bring: its newest trade, or the newest of all when it began.
    until: Option<(i64, TradeId)>,
    /// Whether it has brought more than what it tells on subscription.
    is_live: bool,
}

/// The moment at which something is noted: for distances in time, and for records.
#[derive(Clone, Copy, Debug)]
pub(super) struct Moment {
    pub(super) instant: Instant,
    pub(super) utc_us: i64,
}

impl MarketLedger {
    pub(super) fn new(ids: TradeIds) -> Self {
        Self {
            ids,
            seen: Coverage::default(),
            sent: Coverage::default(),
            recent: Recent::default(),
            recent_sent: Recent::default(),
            latest: None,
            latest_sent: None,
            interrupted: None,
            ways: Vec::new(),
            resumed: None,
            gaps: Vec::new(),
            untold: Vec::new(),
            numbers: 0,
            notices: Vec::new(),
            changed: false,
        }
    }

    /// The ids that a trade stands for, if ids show what is missing.
    fn covered(&self, trade: &Trade) -> Option<RangeInclusive<u64>> {
        match (self.ids, &trade.id) {
            (TradeIds::Dense, TradeId::Number(id)) => Some(*id..=*id),
            (TradeIds::Aggregated, TradeId::Number(id)) => {
                Some(id.saturating_sub(u64::from(trade.count.saturating_sub(1)))..=*id)
            }
            _ => None,
        }
    }

    /// Whether this trade comes for the first time.
    pub(super) fn is_new(&mut self, trade: &Trade, now: impl FnOnce() -> Moment) -> bool {
        let is_new = match self.covered(trade) {
            Some(ids) => match self.seen.insert(ids.clone()) {
                Came::New => true,
                Came::Apart(missing) => {
                    self.jumped(missing, trade, now());
                    true
                }
                Came::Known | Came::Before if self.begins_anew(trade) => {
                    self.begin_anew(ids);
                    true
                }
                Came::Known => false,
                Came::Before => self.recent.is_new(&trade.id),
            },
            None => {
                let is_new = self.recent.is_new(&trade.id);
                let ends =
                    |(at, _): &mut (i64, TradeId)| is_new && trade.source == Source::Live && trade.timestamp_us >= *at;
                if let Some(before) = self.interrupted.take_if(ends) {
                    self.follow_interruption(before, trade, now());
                }
                is_new
            }
        };
        if is_new && self.latest.as_ref().is_none_or(|(at, _)| trade.timestamp_us >= *at) {
            self.latest = Some((trade.timestamp_us, trade.id.clone()));
        }
        if is_new && trade.source == Source::Live && self.ids.show_gaps() {
            self.interrupted = None;
        }
        is_new
    }

    /// A trade was handed to Kafka's producer.
    pub(super) fn accepted(&mut self, trade: &Trade) {
        self.changed = true;
        match self.covered(trade) {
            // What lies far before all that was let through tells nothing of what lies between.
            Some(ids) if self.seen.bounds().is_some_and(|(floor, _)| *ids.end() < floor) => {}
            Some(ids) => {
                if let Came::Apart(missing) = self.sent.insert(ids) {
                    self.settle_given_up(&missing);
                }
            }
            None => _ = self.recent_sent.is_new(&trade.id),
        }
        if self.latest_sent.as_ref().is_none_or(|(at, _)| trade.timestamp_us >= *at) {
            self.latest_sent = Some((trade.timestamp_us, trade.id.clone()));
        }
    }

    /// What was given up and told before the trade behind it was handed over is settled with that: nothing else is missing
    /// without a gap.
    fn settle_given_up(&mut self, missing: &RangeInclusive<u64>) {
        for part in self.seen.missing_of(missing) {
            let touches = |ids: &RangeInclusive<u64>| ids.start() <= part.end() && part.start() <= ids.end();
            let mut open = self.gaps.iter().map(|gap| &gap.span).chain(&self.untold);
            if !open.any(|span| span.ids.as_ref().is_some_and(touches)) {
                self.sent.fill(&part);
            }
        }
    }

    /// One more connection brings its trades.
    pub(super) fn connected(&mut self, number: u64) {
        self.ways.push(Way { number, until: self.latest.clone(), is_live: false });
    }

    /// A connection has brought a trade, which was handed to Kafka's producer now or by another. What it tells on subscription
    /// says where it begins, if nothing did before.
    pub(super) fn brought(&mut self, number: u64, trade: &Trade) {
        let Some(way) = self.ways.iter_mut().find(|way| way.number == number) else { return };
        way.is_live |= trade.source == Source::Live;
        let is_newer = |(at, _): &(i64, TradeId)| trade.source == Source::Live && trade.timestamp_us >= *at;
        if way.until.as_ref().is_none_or(is_newer) {
            way.until = Some((trade.timestamp_us, trade.id.clone()));
            self.changed = true;
        }
    }

    /// A connection which brought its trades does not any more.
    pub(super) fn disconnected(&mut self, number: u64) {
        let Some(index) = self.ways.iter().position(|way| way.number == number) else { return };
        let way = self.ways.swap_remove(index);
        let before = if !self.ids.show_gaps() {
            // Another that took over may have begun behind what was still on its way here.
            way.until
        } else if self.ways.is_empty() {
            self.latest.clone()
        } else {
            return;
        };
        self.interrupted = earlier(self.interrupted.take(), before);
        self.resumed = None;
    }

    /// After an interruption, what is to come shows what was missed; where nothing comes, the exchange must be asked.
    fn ask_after_silence(&mut self, now: Moment) {
        if self.interrupted.is_none() {
            return;
        }
        let resumed = *self.resumed.get_or_insert(now.instant);
        if now.instant < resumed + SILENCE {
            return;
        }
        let Some((start_us, after)) = self.interrupted.take() else { return };
        let end_us = now.utc_us.max(start_us).saturating_add(AHEAD_US);
        let span = Span { ids: None, start_us, end_us, after: Some(after), before: None };
        self.open(span, now);
    }

    fn begins_anew(&self, trade: &Trade) -> bool {
        let late = self.latest.as_ref().is_some_and(|(at, _)| trade.timestamp_us > at.saturating_add(ANEW_US));
        late && trade.source == Source::Live
    }

    /// The exchange gives ids out again that it gave out before: what was known of them is no longer true.
    fn begin_anew(&mut self, ids: RangeInclusive<u64>) {
        self.seen = Coverage::default();
        self.sent = Coverage::default();
        self.recent = Recent::default();
        for gap in std::mem::take(&mut self.gaps) {
            self.end(gap, GapState::Missing("the exchange began to count its trades anew".to_owned()));
        }
        self.seen.insert(ids);
    }

    /// Ids are missing before this trade.
    fn jumped(&mut self, missing: RangeInclusive<u64>, trade: &Trade, now: Moment) {
        let (from_us, after) = match &self.latest {
            Some((at, _)) => (*at, missing.start().checked_sub(1).map(TradeId::Number)),
            None => (trade.timestamp_us, None),
        };
        let span = Span {
            start_us: from_us.min(trade.timestamp_us),
            end_us: from_us.max(trade.timestamp_us),
            after,
            before: missing.end().checked_add(1).map(TradeId::Number),
            ids: Some(missing),
        };
        self.open(span, now);
    }

    /// The first trade after a time without a connection.
    fn follow_interruption(&mut self, (from_us, after): (i64, TradeId), trade: &Trade, now: Moment) {
        let span = Span {
            ids: None,
            start_us: from_us,
            end_us: trade.timestamp_us,
            after: Some(after),
            before: Some(trade.id.clone()),
        };
        self.open(span, now);
    }

    fn open(&mut self, span: Span, now: Moment) {
        self.changed = true;
        self.numbers += 1;
        let size = span.ids.as_ref().map_or(0, |ids| ids.end() - ids.start());
        let gap = Gap {
            number: self.numbers,
            span,
            found: now.instant,
            found_at_us: now.utc_us,
            stage: Stage::Young,
            attempts: 0,
            answers: 0,
        };
        if size >= LARGEST_GAP {
            let reason = format!("ids jumped by {size}, which is no gap that could be asked for");
            self.end(gap, GapState::Missing(reason));
        } else if self.gaps.len() >= MAX_GAPS {
            self.end(gap, GapState::Missing(format!("{MAX_GAPS} gaps of this market are open already")));
        } else {
            self.gaps.push(gap);
        }
    }

    /// The parts of a gap that did not come.
    fn missing_of(&self, span: &Span) -> Vec<Span> {
        let Some(ids) = &span.ids else { return vec![span.clone()] };
        let part = |part: RangeInclusive<u64>| Span {
            after: part.start().checked_sub(1).map(TradeId::Number),
            before: part.end().checked_add(1).map(TradeId::Number),
            ids: Some(part),
            ..span.clone()
        };
        self.seen.missing_of(ids).into_iter().map(part).collect()
    }

    /// Closes what closed by itself, and gives the gaps whose turn it is. They count as being asked for until
    /// [`MarketLedger::attempted`].
    pub(super) fn due(&mut self, market: u32, patience: Duration, moment: Moment) -> Vec<Due> {
        if !self.ways.is_empty() {
            self.ask_after_silence(moment);
        }
        let now = moment.instant;
        let mut due = Vec::new();
        let mut index = 0;
        while let Some(gap) = self.gaps.get(index) {
            let parts = self.missing_of(&gap.span);
            if parts.is_empty() && gap.stage != Stage::Asked {
                let gap = self.gaps.remove(index);
                self.end(gap, GapState::Filled);
                continue;
            }
            let Some(gap) = self.gaps.get_mut(index) else { break };
            index += 1;
            if gap.stage == Stage::Young && now >= gap.found + patience {
                gap.stage = Stage::Waiting(now);
                if !gap.span.is_question() {
                    self.notices.push(gap.notice(GapState::Open));
                }
            }
            if matches!(gap.stage, Stage::Waiting(at) if at <= now) {
                gap.stage = Stage::Asked;
                due.push(Due { number: gap.number, market, found: gap.found, attempts: gap.attempts, parts });
                gap.attempts += 1;
            }
        }
        due
    }

    /// Notes how asking for a gap went.
    pub(super) fn attempted(&mut self, number: u64, attempt: Attempt, now: Instant) {
        let Some(index) = self.gaps.iter().position(|gap| gap.number == number) else { return };
        let gap = self.gaps.remove(index);
        let is_filled = gap.span.ids.is_some() && self.missing_of(&gap.span).is_empty();
        match attempt {
            _ if is_filled => self.end(gap, GapState::Filled),
            Attempt::Later(pause) => self.gaps.push(Gap { stage: Stage::Waiting(now + pause), ..gap }),
            Attempt::Answered if gap.span.ids.is_none() => self.end(gap, GapState::Filled),
            Attempt::Answered => match LAGS.get(gap.answers) {
                Some(lag) => {
                    let answers = gap.answers + 1;
                    self.gaps.push(Gap { stage: Stage::Waiting(now + *lag), answers, ..gap });
                }
                None => self.give_up(gap, "the exchange's own history does not have them"),
            },
            Attempt::GiveUp(reason) => self.give_up(gap, &reason),
        }
    }

    /// Lists what is still missing of a gap as missing for good, and ends it. What is missing is told last, so that it is
    /// the last word on the first part, which those who know a gap by its first id take for the gap itself.
    fn give_up(&mut self, gap: Gap, reason: &str) {
        let parts = self.missing_of(&gap.span);
        if parts.first() != Some(&gap.span) {
            self.end(gap.clone(), GapState::Filled);
        }
        for span in parts {
            self.end(Gap { span, ..gap.clone() }, GapState::Missing(reason.to_owned()));
        }
    }

    fn end(&mut self, gap: Gap, state: GapState) {
        self.changed = true;
        match &state {
            GapState::Missing(_) => self.untold.push(gap.span.clone()),
            GapState::Filled => self.answered(&gap.span),
            GapState::Open => {}
        }
        let closed_by_itself = gap.stage == Stage::Young || gap.span.is_question();
        if state != GapState::Filled || !closed_by_itself {
            self.notices.push(gap.notice(state));
        }
    }

    /// Nobody will ask again whether there was anything since the latest trade of a market that is silent still: its
    /// connections go on from what the answer brought.
    fn answered(&mut self, span: &Span) {
        let is_silent = |way: &Way| !way.is_live || way.until.as_ref().is_none_or(|(at, _)| *at <= span.start_us);
        if span.is_question() && self.ways.iter().all(is_silent) {
            self.ways.iter_mut().for_each(|way| way.until = self.latest_sent.clone());
        }
    }

    /// What is missing is told, or on its way to be. After a restart nobody is to ask for it again; should it come, it is
    /// still new.
    pub(super) fn told(&mut self, span: &Span) {
        let Some(index) = self.untold.iter().position(|untold| untold == span) else { return };
        self.untold.swap_remove(index);
        self.answered(span);
        self.changed = true;
        if let Some(ids) = &span.ids {
            self.sent.fill(ids);
        }
    }

    /// News since the last call.
    pub(super) fn take_notices(&mut self, market: u32) -> Vec<Notice> {
        let mut notices = std::mem::take(&mut self.notices);
        for notice in &mut notices {
            notice.market = market;
        }
        notices
    }

    /// Gaps that have not come to their end.
    pub(super) fn open_gaps(&self) -> usize {
        self.gaps.len()
    }

    /// What Kafka is to know, if it changed since the last call.
    pub(super) fn take_position(&mut self) -> Option<Position> {
        if !std::mem::take(&mut self.changed) {
            return None;
        }
        let (timestamp_us, id) = self.complete_until()?;
        let open = || self.gaps.iter().map(|gap| &gap.span).chain(&self.untold);
        let found = |first: u64| open().find(|span| span.ids.as_ref().is_some_and(|ids| ids.contains(&first)));
        let by_id = self.sent.holes().map(|ids| {
            let span = found(*ids.start());
            Hole {
                start_us: span.map_or(timestamp_us, |span| span.start_us),
                end_us: span.map_or(timestamp_us, |span| span.end_us),
                ids: Some((*ids.start(), *ids.end())),
                after: None,
                before: None,
            }
        });
        let by_time = open().filter(|span| span.ids.is_none()).map(Hole::by_time);
        Some(Position {
            schema: Position::SCHEMA,
            bounds: self.sent.bounds(),
            timestamp_us,
            id: id.into(),
            recent: if self.sent.bounds().is_some() { Vec::new() } else { self.recent_sent.newest() },
            holes: by_id.chain(by_time).collect(),
        })
    }

    /// The trade behind which a host that starts anew is to ask: what lies before came, or is a hole.
    fn complete_until(&self) -> Option<(i64, TradeId)> {
        let newest = self.latest_sent.clone();
        if self.ids.show_gaps() {
            return newest;
        }
        // Of two connections the slower may still bring what lies before the other's newest trade.
        let ways = self.ways.iter().map(|way| way.until.clone());
        ways.chain([self.interrupted.clone()]).fold(newest, earlier)
    }

    /// Goes on where a former host stopped.
    pub(super) fn restore(&mut self, position: &Position, now: Moment) {
        let id = TradeId::from(&position.id);
        self.latest = Some((position.timestamp_us, id.clone()));
        self.latest_sent = self.latest.clone();
        self.interrupted = self.latest.clone();
        for id in position.recent.iter().map(TradeId::from).chain([id]) {
            self.recent.is_new(&id);
            self.recent_sent.is_new(&id);
        }
        if let Some((floor, newest)) = position.bounds {
            self.seen = Coverage::restore(floor, newest, position.holes.iter().filter_map(|hole| hole.ids));
            self.sent = self.seen.clone();
        }
        for hole in &position.holes {
            self.open(hole.span(), now);
        }
    }
}

/// The earlier of two trades, by time and id.
fn earlier(one: Option<(i64, TradeId)>, other: Option<(i64, TradeId)>) -> Option<(i64, TradeId)> {
    one.into_iter().chain(other).min_by_key(|(at, _)| *at)
}

impl Span {
    /// Whether it only asks if there was anything since the latest trade.
    fn is_question(&self) -> bool {
        self.ids.is_none() && self.before.is_none()
    }
}

impl Gap {
    fn notice(&self, state: GapState) -> Notice {
        Notice { market: 0, span: self.span.clone(), found_at_us: self.found_at_us, state }
    }
}
