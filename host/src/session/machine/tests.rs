//! The state machine over thousands of made-up days: exchanges that refuse, cut, stall, and ask for reconnects.

use std::collections::BTreeMap;
use std::time::Duration;

use fastrand::Rng;
use tokio::time::Instant;

use super::*;

const MARKETS: u32 = 3;

/// What may befall connections, in parts of a thousand.
#[derive(Clone, Copy)]
struct Luck {
    fails: u32,
    cut: u32,
    asks: u32,
    stalls: u32,
    refuses: u32,
}

const CALM: Luck = Luck { fails: 0, cut: 0, asks: 0, stalls: 0, refuses: 0 };
const STORM: Luck = Luck { fails: 300, cut: 300, asks: 300, stalls: 200, refuses: 200 };

/// A thing that will happen to a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Coming {
    Connected,
    Settled,
    Asked,
    Gone,
}

/// An exchange, and what its connections are at.
struct World {
    machine: Machine,
    rng: Rng,
    luck: Luck,
    began: Instant,
    now: Instant,
    lifetime: Duration,
    overlap: Duration,
    coming: BTreeMap<(Instant, u64, Coming), ()>,
    /// Connections that deliver, with the markets that each serves, and since when.
    live: BTreeMap<u64, (u32, Instant)>,
    /// Connections that are not up yet.
    rising: Vec<u64>,
    open: usize,
    opens: Vec<Instant>,
    losses: usize,
    rotations: usize,
    /// Time without any connection that delivers, since the first did.
    dark: Duration,
    dark_since: Option<Instant>,
}

impl World {
    fn new(seed: u64, luck: Luck) -> Self {
        let mut rng = Rng::with_seed(seed);
        let now = Instant::now();
        let lifetime = Duration::from_secs(rng.u64(60..7_200));
        let overlap = Duration::from_secs(1);
        let backoff = Backoff { base: Duration::from_millis(250), cap: Duration::from_secs(30) };
        let rules = Rules { backoff, lifetime: Some(lifetime), overlap };
        Self {
            machine: Machine::new(rules, Rng::with_seed(seed)),
            rng,
            luck,
            began: now,
            now,
            lifetime,
            overlap,
            coming: BTreeMap::new(),
            live: BTreeMap::new(),
            rising: Vec::new(),
            open: 0,
            opens: Vec::new(),
            losses: 0,
            rotations: 0,
            dark: Duration::ZERO,
            dark_since: None,
        }
    }

    fn chance(&mut self, thousandth: u32) -> bool {
        self.rng.u32(0..1000) < thousandth
    }

    fn after(&mut self, least_ms: u64, most_ms: u64) -> Instant {
        self.now + Duration::from_millis(self.rng.u64(least_ms..=most_ms))
    }

    fn opened(&mut self, id: u64) {
        assert!(self.rising.is_empty(), "{id} is opened beside {:?}, which is not up yet", self.rising);
        self.open += 1;
        assert!(self.open <= MOST_CONNECTIONS, "{} connections", self.open);
        self.opens.push(self.now);
        self.rising.push(id);
        let connected = self.after(1, 2_000);
        let fails = self.chance(self.luck.fails);
        self.coming.insert((connected, id, if fails { Coming::Gone } else { Coming::Connected }), ());
    }

    fn connected(&mut self, id: u64) {
        self.rising.retain(|other| *other != id);
        let cut = self.now + self.lifetime;
        self.coming.insert((cut, id, Coming::Gone), ());
        // One that stalls is found by its silence.
        let stalls = self.chance(self.luck.stalls);
        let settled = if stalls { self.after(20_000, 60_000) } else { self.after(1, 3_000) };
        self.coming.insert((settled, id, if stalls { Coming::Gone } else { Coming::Settled }), ());
        if self.chance(self.luck.cut) {
            let cut = self.after(1, 400_000);
            self.coming.insert((cut, id, Coming::Gone), ());
        }
        if self.chance(self.luck.asks) {
            let asked = self.after(1, 400_000);
            self.coming.insert((asked, id, Coming::Asked), ());
        }
        self.machine.connected(id, self.now);
    }

    fn settled(&mut self, id: u64) {
        let missing = if self.chance(self.luck.refuses) { self.rng.u32(1..=MARKETS) } else { 0 };
        let served = Served { markets: MARKETS - missing, missing };
        self.live.insert(id, (served.markets, self.now));
        self.machine.settled(id, served, self.now);
        self.lit();
    }

    fn lit(&mut self) {
        if let Some(since) = self.dark_since.take() {
            self.dark += self.now - since;
        }
    }

    fn gone(&mut self, id: u64) {
        self.coming.retain(|(_, other, _), ()| *other != id);
        self.rising.retain(|other| *other != id);
        self.open -= 1;
        let was_live = self.live.remove(&id).is_some();
        if was_live && self.live.is_empty() {
            self.dark_since = Some(self.now);
        }
        if !matches!(self.machine.ended(id, self.now), Loss::Expected | Loss::Overtaken) {
            self.losses += 1;
        }
    }

    fn closed(&mut self, id: u64, why: Closing) {
        match why {
            Closing::Replaced => {
                self.rotations += 1;
                // One that was not live yet itself may go at once.
                if let Some((served, _)) = self.live.remove(&id) {
                    let (other, (other_served, since)) = self.live.iter().next().expect("another that is live");
                    assert!(self.now >= *since + self.overlap, "{id} is closed too soon after {other} is live");
                    assert!(*other_served >= served, "{id} serves more markets than {other}");
                }
            }
            Closing::NoBetter => {
                self.live.remove(&id);
                assert!(!self.live.is_empty(), "{id} is closed as no better than nothing");
            }
            Closing::Shutdown => {}
        }
        self.rising.retain(|other| *other != id);
        self.coming.retain(|(_, other, _), ()| *other != id);
        let gone = self.after(1, 1_000);
        self.coming.insert((gone, id, Coming::Gone), ());
    }

    fn act(&mut self) {
        for step in 0.. {
            assert!(step < 10, "it never has enough");
            match self.machine.next(self.now) {
                None => break,
                Some(Action::Open(id)) => self.opened(id),
                Some(Action::Close(id, why)) => self.closed(id, why),
            }
        }
        if let Some(wake) = self.machine.wake() {
            assert!(wake > self.now, "it wants to be woken at once, though there is nothing to do");
        }
        let live = self.machine.state().is_live();
        assert!(!live || !self.live.is_empty(), "{:?} without a live connection", self.machine.state());
    }

    /// Lets time go on until then.
    fn run(&mut self, until: Duration) {
        let end = self.began + until;
        loop {
            self.act();
            let next = self.coming.keys().next().copied();
            let wake = self.machine.wake();
            let at = [next.map(|(at, ..)| at), wake].into_iter().flatten().min().unwrap_or(end);
            if at >= end {
                self.now = end;
                return;
            }
            self.now = at;
            let Some((_, id, coming)) = next.filter(|(when, ..)| *when == at) else { continue };
            self.coming.pop_first();
            match coming {
                Coming::Connected => self.connected(id),
                Coming::Settled => self.settled(id),
                Coming::Asked => {
                    // It is serious: so it says of itself.
                    self.coming.insert((self.now + Duration::from_secs(10), id, Coming::Gone), ());
                    self.machine.asked(id, self.now);
                }
                Coming::Gone => self.gone(id),
            }
        }
    }
}

const DAY: Duration = Duration::from_secs(86_400);

#[test]
fn on_a_calm_day_nothing_is_ever_lost_or_dark() {
    for seed in 0..300 {
        let mut world = World::new(seed, CALM);
        world.run(DAY);
        assert_eq!((world.losses, world.dark), (0, Duration::ZERO), "seed {seed}");
        let least = DAY.as_secs() / world.lifetime.as_secs();
        assert!(world.rotations as u64 >= least - 1, "seed {seed}: {} rotations, not {least}", world.rotations);
        assert!((world.rotations as u64) < 2 * least + 2, "seed {seed}: {} rotations, not {least}", world.rotations);
    }
}

/// An exchange that announces every cut: ten seconds are enough to be elsewhere.
#[test]
fn on_a_day_of_announced_cuts_nothing_is_dark() {
    for seed in 0..300 {
        let mut world = World::new(seed, Luck { asks: 1000, ..CALM });
        world.run(DAY);
        assert_eq!((world.losses, world.dark), (0, Duration::ZERO), "seed {seed}");
    }
}

#[test]
fn in_a_storm_no_rule_is_broken_and_calm_heals_it() {
    for seed in 0..2_000 {
        let mut world = World::new(seed, STORM);
        world.run(DAY / 4);
        // However bad it was, the pauses kept the attempts few: a connection that is lost at once counts as a failure.
        let longest = world.opens.windows(20).map(|twenty| twenty[19] - twenty[0]).min();
        assert!(longest.is_none_or(|time| time > Duration::from_secs(15)), "seed {seed}: 20 attempts in {longest:?}");
        world.luck = CALM;
        world.coming.retain(|(_, _, coming), ()| *coming != Coming::Asked);
        world.run(DAY / 4 + 2 * world.lifetime + Duration::from_secs(600));
        let (losses, dark) = (world.losses, world.dark);
        world.run(DAY / 2 + 2 * world.lifetime);
        assert_eq!((world.losses, world.dark), (losses, dark), "seed {seed}");
        assert!(world.machine.state().is_live(), "seed {seed}: {:?}", world.machine.state());
        assert_eq!(world.machine.served(), Served { markets: MARKETS, missing: 0 }, "seed {seed}");
    }
}

#[test]
fn a_shutdown_ends_it_from_every_state() {
    for seed in 0..1_000 {
        let mut world = World::new(seed, STORM);
        let until = Duration::from_secs(seed * 10);
        world.run(until);
        world.machine.stop();
        assert_eq!(world.machine.state(), SessionState::Stopped);
        let opens = world.opens.len();
        world.run(until + Duration::from_secs(2));
        assert!(world.machine.is_over(), "seed {seed}");
        assert_eq!(world.opens.len(), opens, "seed {seed}: it opened a connection after the shutdown");
    }
}

#[test]
fn a_market_that_is_refused_is_tried_again_beside_the_others() {
    let mut world = World::new(7, CALM);
    world.lifetime = DAY * 30;
    world.machine.rules.lifetime = None;
    let mut lives = 0;
    // The exchange knows the third market only from the fourth connection on.
    while lives < 4 {
        world.act();
        let next = world.coming.keys().next().copied();
        let at = next.map(|(at, ..)| at).into_iter().chain(world.machine.wake()).min().expect("it tries again");
        world.now = at;
        let Some((_, id, coming)) = next.filter(|(when, ..)| *when == at) else { continue };
        world.coming.pop_first();
        match coming {
            Coming::Connected => world.connected(id),
            Coming::Settled => {
                lives += 1;
                let missing = u32::from(lives < 4);
                let served = Served { markets: MARKETS - missing, missing };
                world.live.insert(id, (served.markets, world.now));
                world.machine.settled(id, served, world.now);
            }
            Coming::Asked => {}
            Coming::Gone => world.gone(id),
        }
    }
    let gaps: Vec<_> = world.opens.windows(2).map(|pair| (pair[1] - pair[0]).as_secs()).collect();
    assert!(gaps.windows(2).all(|pair| pair[0] < pair[1] * 2), "the pauses do not grow: {gaps:?}");
    assert!(gaps[0] >= 30, "{gaps:?}");
    world.run(world.now - world.began + Duration::from_secs(10));
    assert_eq!(world.machine.served(), Served { markets: MARKETS, missing: 0 });
    assert_eq!((world.machine.state(), world.losses, world.rotations), (SessionState::Live, 0, 1));
}
