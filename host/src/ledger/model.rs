//! The ledger against plain sets of ids, over made-up histories of connections, trades, answers and hosts that die.

use std::collections::{BTreeSet, HashSet, VecDeque};

use proptest::prelude::*;

use super::*;
use crate::trade::{Decimal, Side, Source, TradeId};

const PATIENCE: Duration = Duration::from_secs(2);

#[derive(Clone, Debug)]
enum Step {
    /// The exchange publishes a trade of so many fills; who is subscribed hears of it unless it is lost.
    Publish {
        fills: u32,
        is_lost: bool,
    },
    /// One of the newest trades comes again, or after all.
    Repeat {
        back: usize,
    },
    /// A trade is let through, and waits for room in Kafka's queue.
    Wait {
        back: usize,
    },
    /// There is room.
    Room,
    /// A connection is subscribed, and is told the newest trades.
    Up {
        snapshot: usize,
    },
    Down,
    Pass {
        ms: u64,
    },
    /// What is due is asked for; the exchange tells a part of it.
    Heal {
        parts: u8,
        how: How,
    },
    /// News of gaps reach Kafka.
    Tell,
    /// Positions are written.
    Write,
    /// The host dies, and another goes on from the positions that were written.
    Kill,
}

#[derive(Clone, Copy, Debug)]
enum How {
    Answered,
    Later,
    GivenUp,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let how = prop_oneof![Just(How::Answered), Just(How::Later), Just(How::GivenUp)];
    let step = prop_oneof![
        20 => (1..4_u32, prop::bool::weighted(0.2)).prop_map(|(fills, is_lost)| Step::Publish { fills, is_lost }),
        4 => (0..12_usize).prop_map(|back| Step::Repeat { back }),
        2 => (0..4_usize).prop_map(|back| Step::Wait { back }),
        2 => Just(Step::Room),
        2 => (0..5_usize).prop_map(|snapshot| Step::Up { snapshot }),
        2 => Just(Step::Down),
        4 => (1..15_000_u64).prop_map(|ms| Step::Pass { ms }),
        4 => (any::<u8>(), how).prop_map(|(parts, how)| Step::Heal { parts, how }),
        3 => Just(Step::Tell),
        4 => Just(Step::Write),
        1 => Just(Step::Kill),
    ];
    prop::collection::vec(step, 1..150)
}

/// What is true of one market.
struct Model {
    ids: TradeIds,
    ledger: Ledger,
    published: Vec<Trade>,
    /// Let through by this host, or known to it from the one before; trades by their index.
    passed: BTreeSet<usize>,
    /// Handed to Kafka by any host.
    kept: BTreeSet<usize>,
    /// Told to be missing.
    listed: BTreeSet<usize>,
    waiting: VecDeque<usize>,
    notices: Vec<Notice>,
    /// The newest position that was written, and what it counts.
    written: Option<(Vec<u8>, BTreeSet<usize>)>,
    /// The first trade that positions count from.
    floor: Option<usize>,
    next_id: u64,
    connection: Option<u64>,
    connections: u64,
    now_us: i64,
}

impl Model {
    fn new(ids: TradeIds) -> Self {
        Self {
            ids,
            ledger: Ledger::new(1, ids),
            published: Vec::new(),
            passed: BTreeSet::new(),
            kept: BTreeSet::new(),
            listed: BTreeSet::new(),
            waiting: VecDeque::new(),
            notices: Vec::new(),
            written: None,
            floor: None,
            next_id: 100,
            connection: None,
            connections: 0,
            now_us: 1_000_000_000,
        }
    }

    fn publish(&mut self, fills: u32) -> usize {
        let count = if self.ids == TradeIds::Aggregated { fills } else { 1 };
        // Where ids show nothing they have holes.
        self.next_id += u64::from(if self.ids.show_gaps() { count } else { fills });
        let (id, one) = (TradeId::Number(self.next_id), Decimal { unscaled: 1, scale: 0 });
        self.published.push(Trade {
            frame: 0,
            market: 0,
            id,
            order: self.next_id,
            count,
            price: one,
            quantity: one,
            side: Side::Buy,
            timestamp_us: self.now_us,
            source: Source::Live,
            vendor: String::new(),
        });
        self.published.len() - 1
    }

    /// Lets a trade through if it is new; it must be exactly if the model says so.
    fn pass(&mut self, index: usize, source: Source) -> bool {
        let trade = Trade { source, ..self.published[index].clone() };
        let is_new = self.ledger.is_new(&trade);
        assert_eq!(is_new, self.passed.insert(index), "{trade:?}");
        is_new
    }

    fn accept(&mut self, index: usize) {
        self.ledger.accepted(&self.published[index]);
        self.kept.insert(index);
    }

    fn take(&mut self, index: usize, source: Source) {
        if source == Source::Live && !self.ids.show_gaps() {
            // A connection waits for room before it goes on.
            self.room();
        }
        if self.pass(index, source) {
            self.accept(index);
        }
        if source != Source::Backfill {
            self.brought(index, source);
        }
    }

    fn brought(&mut self, index: usize, source: Source) {
        if let Some(connection) = self.connection {
            self.ledger.brought(connection, &Trade { source, ..self.published[index].clone() });
        }
    }

    fn back(&self, back: usize) -> Option<usize> {
        self.published.len().checked_sub(back + 1)
    }

    async fn apply(&mut self, step: Step) {
        match step {
            Step::Publish { fills, is_lost } => {
                let index = self.publish(fills);
                // Where ids show nothing, what a connection keeps to itself is nobody's to know.
                if self.connection.is_some() && !(is_lost && self.ids.show_gaps()) {
                    self.take(index, Source::Live);
                }
            }
            Step::Repeat { back } => {
                if let Some(index) = self.back(back).filter(|index| self.may_come(*index)) {
                    self.take(index, Source::Live);
                }
            }
            Step::Wait { back } if self.ids.show_gaps() => {
                if let Some(index) = self.back(back).filter(|index| self.may_come(*index)) {
                    self.wait_for_room(index);
                }
            }
            Step::Wait { back } => {
                let index = self.publish(back as u32 + 1);
                if self.connection.is_some() {
                    self.room();
                    self.wait_for_room(index);
                }
            }
            Step::Room => self.room(),
            Step::Up { snapshot } => self.up(snapshot),
            Step::Down => self.down(),
            Step::Pass { ms } => self.wait(Duration::from_millis(ms)).await,
            Step::Heal { parts, how } => self.heal(parts, how),
            Step::Tell => self.tell(),
            Step::Write => self.write(),
            Step::Kill => self.kill(),
        }
    }

    /// Where ids show nothing, a connection brings trades in order: only what it has brought comes again.
    fn may_come(&self, index: usize) -> bool {
        self.connection.is_some() && (self.ids.show_gaps() || self.passed.contains(&index))
    }

    fn wait_for_room(&mut self, index: usize) {
        if self.pass(index, Source::Live) {
            self.waiting.push_back(index);
        }
    }

    fn room(&mut self) {
        while let Some(index) = self.waiting.pop_front() {
            self.accept(index);
            self.brought(index, Source::Live);
        }
    }

    fn up(&mut self, snapshot: usize) {
        if self.connection.is_some() {
            return;
        }
        self.connections += 1;
        self.connection = Some(self.connections);
        self.ledger.connected(0, self.connections);
        for index in self.published.len().saturating_sub(snapshot)..self.published.len() {
            self.take(index, Source::Snapshot);
        }
    }

    fn down(&mut self) {
        // A connection hands over what it has before it ends.
        self.room();
        if let Some(connection) = self.connection.take() {
            self.ledger.disconnected(0, connection);
        }
    }

    async fn wait(&mut self, time: Duration) {
        self.now_us += i64::try_from(time.as_micros()).unwrap_or_default();
        tokio::time::advance(time).await;
    }

    /// The trades of a span.
    fn within(&self, span: &Span) -> Vec<usize> {
        let is_within = |trade: &Trade| match (&span.ids, fills(trade)) {
            (Some(ids), own) => own.start() <= ids.end() && ids.start() <= own.end(),
            (None, _) => (span.start_us..=span.end_us).contains(&trade.timestamp_us),
        };
        (0..self.published.len()).filter(|index| is_within(&self.published[*index])).collect()
    }

    fn heal(&mut self, parts: u8, how: How) {
        for due in self.ledger.due(PATIENCE) {
            for index in due.parts.iter().flat_map(|span| self.within(span)).collect::<Vec<_>>() {
                let is_told = parts >> (index % 8) & 1 == 1 || (matches!(how, How::Answered) && !self.ids.show_gaps());
                if is_told {
                    self.take(index, Source::Backfill);
                }
            }
            let attempt = match how {
                How::Answered => Attempt::Answered,
                How::Later => Attempt::Later(Duration::from_secs(5)),
                How::GivenUp => Attempt::GiveUp("no answer".to_owned()),
            };
            self.ledger.attempted(&due, attempt);
        }
        let notices = self.ledger.take_notices();
        for notice in notices.iter().filter(|notice| matches!(notice.state, GapState::Missing(_))) {
            let known = self.within(&notice.span).into_iter().find(|index| self.passed.contains(index));
            assert!(known.is_none() || notice.span.ids.is_none(), "{notice:?} lists what came");
        }
        self.notices.extend(notices);
    }

    fn tell(&mut self) {
        for notice in std::mem::take(&mut self.notices) {
            self.ledger.told(&notice);
            if let GapState::Missing(_) = notice.state {
                self.listed.extend(self.within(&notice.span));
            }
        }
    }

    /// What a position counts must be kept or listed, and what it does not must be a hole of it.
    fn write(&mut self) {
        for (_, bytes) in self.ledger.take_positions() {
            let position = Position::read(&bytes).expect("the ledger's own position");
            // Where ids show what is missing, a hole in time only asks whether there was anything.
            let holes = position.holes.iter().filter(|hole| hole.ids.is_some() || !self.ids.show_gaps());
            let holes: Vec<usize> = holes.flat_map(|hole| self.within(&hole.span())).collect();
            let counted: BTreeSet<usize> = (0..self.published.len())
                .filter(|index| {
                    let trade = &self.published[*index];
                    match position.bounds {
                        Some((floor, newest)) => floor <= *fills(trade).start() && *fills(trade).end() <= newest,
                        None => {
                            self.floor.is_some_and(|floor| floor <= *index)
                                && trade.timestamp_us < position.timestamp_us
                        }
                    }
                })
                .filter(|index| !holes.contains(index))
                .collect();
            for index in &counted {
                let trade = &self.published[*index];
                assert!(self.kept.contains(index) || self.listed.contains(index), "{position:?} counts {trade:?}");
            }
            let newest = self.published.iter().position(|trade| trade.id == TradeId::from(&position.id));
            self.floor = counted.first().copied().or(newest).into_iter().chain(self.floor).min();
            let recent: HashSet<TradeId> = position.recent.iter().map(TradeId::from).collect();
            let recent = (0..self.published.len()).filter(|index| recent.contains(&self.published[*index].id));
            let known = if self.ids.show_gaps() { counted } else { recent.collect() };
            self.written = Some((bytes, known));
        }
    }

    fn kill(&mut self) {
        self.ledger = Ledger::new(1, self.ids);
        (self.connection, self.notices) = (None, Vec::new());
        self.waiting.clear();
        self.passed.clear();
        if let Some((position, known)) = &self.written {
            self.ledger.restore(0, position).expect("the ledger's own position");
            self.passed = known.clone();
        }
    }

    /// Nothing more befalls it: everything comes or is listed.
    async fn end_well(&mut self) {
        self.up(0);
        let last = self.publish(1);
        self.take(last, Source::Live);
        self.room();
        for _ in 0..20 {
            self.wait(Duration::from_secs(700)).await;
            self.heal(u8::MAX, How::Answered);
            self.tell();
        }
        assert_eq!(self.ledger.open_gaps(), 0);
        self.write();
        for index in self.floor.unwrap_or(last)..=last {
            let trade = &self.published[index];
            assert!(self.kept.contains(&index) || self.listed.contains(&index), "{trade:?} is lost");
        }
    }
}

fn fills(trade: &Trade) -> std::ops::RangeInclusive<u64> {
    let TradeId::Number(id) = trade.id else { panic!("a number") };
    id - u64::from(trade.count) + 1..=id
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn it_knows_what_came_and_what_is_missing(
        steps in steps(),
        ids in prop_oneof![Just(TradeIds::Dense), Just(TradeIds::Aggregated), Just(TradeIds::Increasing)],
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
        runtime.block_on(async {
            let mut model = Model::new(ids);
            for step in steps {
                model.apply(step).await;
            }
            model.end_well().await;
        });
    }
}
