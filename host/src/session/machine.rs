//! What a session does next: a state machine without sockets, tasks or a clock of its own, so that its rules can be tried
//! over thousands of made-up days.
//!
//! A session has at most two connections, those that are closing included: the one that counts, and while that is being
//! replaced, its successor. A successor takes over only when it serves at least as many markets; otherwise it is closed,
//! and the older stays and is replaced later. No two are dialled side by side.

use std::time::Duration;

use fastrand::Rng;
use tokio::time::Instant;

use super::backoff::{Backoff, Pauses};
use super::status::SessionState;

mod member;
#[cfg(test)]
mod tests;

pub(super) use member::Served;
use member::{Member, Phase};

/// Most connections of one session at once: a rotation needs two.
pub(super) const MOST_CONNECTIONS: usize = 2;

/// The times that a session keeps.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rules {
    /// Pauses between attempts that fail.
    pub(super) backoff: Backoff,
    /// Age at which the exchange cuts a connection; none if it does not.
    pub(super) lifetime: Option<Duration>,
    /// Time for which a connection and its successor both deliver.
    pub(super) overlap: Duration,
}

impl Rules {
    /// Age at which a connection is to be replaced: between 70 and 90 % of its life, but not hours before its end. Spread,
    /// so that sessions which began together do not rotate together.
    fn rotation_age(&self, rng: &mut Rng) -> Option<Duration> {
        let lifetime = self.lifetime?;
        let least = (lifetime / 10).min(Duration::from_secs(600));
        let spread = (lifetime / 5).min(Duration::from_secs(3_600));
        Some(lifetime.saturating_sub(least + spread.mul_f64(rng.f64())))
    }

    /// Pause until markets that the exchange does not serve are asked for again: twice the longest pause between attempts,
    /// doubled with every try up to 64 times that, and spread by a half.
    fn trial_pause(&self, tries: u32, rng: &mut Rng) -> Duration {
        let bound = self.backoff.cap * 2 * 2_u32.pow(tries.min(6));
        bound.mul_f64(0.5 + rng.f64() / 2.0)
    }
}

/// What is to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Action {
    /// Open a connection of this number.
    Open(u64),
    /// Close this connection.
    Close(u64, Closing),
}

/// Why a connection is closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Closing {
    /// Its successor has taken over.
    Replaced,
    /// It is a successor that serves fewer markets than the connection that it was to replace, or no more of them.
    NoBetter,
    /// The session ends.
    Shutdown,
}

/// What the end of a connection means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Loss {
    /// It was to end.
    Expected,
    /// A successor did not come up; the older connection stays.
    Successor,
    /// The session is down until the next attempt.
    Session,
    /// The successor, which is not live yet, is all that the session has.
    Inherited,
    /// Its successor was live: it has done what it could.
    Overtaken,
}

/// The state of one session.
#[derive(Debug)]
pub(super) struct Machine {
    rules: Rules,
    rng: Rng,
    /// Oldest first.
    members: Vec<Member>,
    opened: u64,
    pauses: Pauses,
    /// Nothing is opened before.
    not_before: Option<Instant>,
    /// How often in a row markets were asked for again in vain.
    trials: u32,
    stopping: bool,
}

impl Machine {
    pub(super) fn new(rules: Rules, rng: Rng) -> Self {
        Self {
            pauses: rules.backoff.pauses(),
            rules,
            rng,
            members: Vec::new(),
            opened: 0,
            not_before: None,
            trials: 0,
            stopping: false,
        }
    }

    /// The next thing to do now; to be asked again until there is none.
    pub(super) fn next(&mut self, now: Instant) -> Option<Action> {
        if self.stopping {
            let member = self.members.iter_mut().find(|member| !member.is_closing())?;
            member.phase = Phase::Closing;
            return Some(Action::Close(member.id, Closing::Shutdown));
        }
        self.judge_successor(now).or_else(|| self.open(now))
    }

    /// When there is something to do, if nothing happens before. Later than the `now` of a [`Machine::next`] that had
    /// nothing more to do.
    pub(super) fn wake(&self) -> Option<Instant> {
        if self.stopping {
            return None;
        }
        let (current, successor) = self.alive();
        match (current, successor) {
            (Some(_), Some(Member { phase: Phase::Live(since), .. })) => Some(*since + self.rules.overlap),
            (_, Some(_)) => None,
            _ if self.members.len() == MOST_CONNECTIONS => None,
            (Some(member), None) => member.wanted().map(|at| self.not_before.map_or(at, |before| at.max(before))),
            (None, None) => self.not_before,
        }
    }

    /// A connection is up, and subscribes.
    pub(super) fn connected(&mut self, id: u64, now: Instant) {
        let age = self.rules.rotation_age(&mut self.rng);
        if let Some(member) = self.member(id).filter(|member| member.phase == Phase::Opening) {
            member.phase = Phase::Subscribing;
            member.rotate_at = age.map(|age| now + age);
        }
    }

    /// Some more markets are subscribed, while others wait for their answer.
    pub(super) fn subscribing(&mut self, id: u64, served: Served) {
        if let Some(member) = self.member(id) {
            member.served = served;
        }
    }

    /// The exchange has answered every subscription of a connection, or will not any more; or the answer has changed.
    pub(super) fn settled(&mut self, id: u64, served: Served, now: Instant) {
        let pause = self.rules.trial_pause(self.trials, &mut self.rng);
        let Some(member) = self.member(id).filter(|member| !member.is_closing()) else { return };
        member.served = served;
        if member.phase == Phase::Subscribing {
            member.phase = Phase::Live(now);
        }
        member.try_at = (served.missing > 0).then(|| member.try_at.unwrap_or(now + pause));
    }

    /// The exchange asks for another connection in the place of this one, which still delivers.
    pub(super) fn asked(&mut self, id: u64, now: Instant) {
        let settled = self.rules.backoff.settled();
        let Some(member) = self.member(id).filter(|member| member.asked_at.is_none()) else { return };
        member.asked_at = Some(now);
        // An exchange that asks every new connection to go is not to be stormed.
        if member.lasted(now, settled) {
            self.pauses = self.rules.backoff.pauses();
        } else {
            self.pause(now);
        }
    }

    /// A connection is gone, or did not come up.
    pub(super) fn ended(&mut self, id: u64, now: Instant) -> Loss {
        let Some(position) = self.members.iter().position(|member| member.id == id) else { return Loss::Expected };
        let member = self.members.remove(position);
        if member.is_closing() {
            return Loss::Expected;
        }
        if member.lasted(now, self.rules.backoff.settled()) {
            self.pauses = self.rules.backoff.pauses();
        }
        let loss = match self.alive() {
            (None, _) => Loss::Session,
            (Some(other), _) if other.id > id => {
                return if matches!(other.phase, Phase::Live(_)) { Loss::Overtaken } else { Loss::Inherited };
            }
            (Some(_), _) => Loss::Successor,
        };
        self.pause(now);
        loss
    }

    /// The session is to end: everything is closed, nothing is opened any more.
    pub(super) fn stop(&mut self) {
        self.stopping = true;
    }

    pub(super) fn is_stopping(&self) -> bool {
        self.stopping
    }

    /// Connections that are open or coming up, those that are closing included.
    pub(super) fn connections(&self) -> usize {
        self.members.len()
    }

    /// Whether the session has ended.
    pub(super) fn is_over(&self) -> bool {
        self.stopping && self.members.is_empty()
    }

    pub(super) fn state(&self) -> SessionState {
        if self.stopping {
            return SessionState::Stopped;
        }
        match self.alive() {
            (Some(Member { phase: Phase::Live(_), .. }), None) => SessionState::Live,
            (Some(Member { phase: Phase::Live(_), .. }), Some(_)) => SessionState::Rotating,
            (Some(Member { phase: Phase::Opening, .. }), _) => SessionState::Connecting,
            (Some(_), _) => SessionState::Subscribing,
            (None, _) if self.opened == 0 => SessionState::Connecting,
            (None, _) => SessionState::BackingOff,
        }
    }

    /// What the connection that counts gets of its markets.
    pub(super) fn served(&self) -> Served {
        self.alive().0.map(|member| member.served).unwrap_or_default()
    }

    /// Whether a connection is up.
    pub(super) fn is_connected(&self) -> bool {
        self.alive().0.is_some_and(|member| member.phase != Phase::Opening)
    }

    /// Time until the next attempt, where one waits.
    pub(super) fn pause_left(&self, now: Instant) -> Duration {
        self.not_before.map_or(Duration::ZERO, |at| at.saturating_duration_since(now))
    }

    /// The connection that counts, and its successor.
    fn alive(&self) -> (Option<&Member>, Option<&Member>) {
        let mut alive = self.members.iter().filter(|member| !member.is_closing());
        (alive.next(), alive.next())
    }

    fn member(&mut self, id: u64) -> Option<&mut Member> {
        self.members.iter_mut().find(|member| member.id == id)
    }

    fn pause(&mut self, now: Instant) {
        let at = now + self.pauses.next_pause(&mut self.rng);
        self.not_before = Some(self.not_before.map_or(at, |before| before.max(at)));
    }

    /// Lets the successor take over when it has delivered beside the older for long enough, or closes it if it is no better.
    fn judge_successor(&mut self, now: Instant) -> Option<Action> {
        let (Some(current), Some(successor)) = self.alive() else { return None };
        let Phase::Live(since) = successor.phase else { return None };
        let (older, newer, served) = (current.id, successor.id, (current.served.markets, successor.served.markets));
        let is_live = matches!(current.phase, Phase::Live(_));
        let must_go = current.must_go_at().is_some_and(|at| at <= now);
        let is_better = !is_live || if must_go { served.1 >= served.0 } else { served.1 > served.0 };
        if !is_better {
            return Some(self.keep_older(older, newer, must_go, now));
        }
        if is_live && now < since + self.rules.overlap {
            return None;
        }
        let lasted = current.lasted(now, self.rules.backoff.settled());
        self.trials = if served.1 > served.0 { 0 } else { self.trials };
        if lasted {
            self.pauses = self.rules.backoff.pauses();
        }
        Some(self.close(older, Closing::Replaced))
    }

    fn keep_older(&mut self, older: u64, newer: u64, must_go: bool, now: Instant) -> Action {
        if must_go {
            self.pause(now);
        }
        self.trials += 1;
        let pause = self.rules.trial_pause(self.trials, &mut self.rng);
        if let Some(member) = self.member(older) {
            member.try_at = (member.served.missing > 0).then(|| now + pause);
        }
        self.close(newer, Closing::NoBetter)
    }

    fn close(&mut self, id: u64, why: Closing) -> Action {
        if let Some(member) = self.member(id) {
            member.phase = Phase::Closing;
        }
        Action::Close(id, why)
    }

    fn open(&mut self, now: Instant) -> Option<Action> {
        if self.members.len() == MOST_CONNECTIONS || self.not_before.is_some_and(|at| now < at) {
            return None;
        }
        match self.alive() {
            (Some(_), Some(_)) => return None,
            (Some(member), None) if member.wanted().is_none_or(|at| now < at) => return None,
            _ => {}
        }
        self.opened += 1;
        self.members.push(Member::new(self.opened));
        Some(Action::Open(self.opened))
    }
}
