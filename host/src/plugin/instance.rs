//! An instance of a plugin that serves one connection, and what is done when it crashes.

use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::frames::FrameBatch;

use super::answer::{self, MAX_REASON, Question};
use super::bindings::tapedeck::plugin::types;
use super::decoded::{Decoded, RefusalKind, Refused};
use super::error::OpenFailure;
use super::fault::{Fault, FaultKind};
use super::guest::Guest;
use super::loaded::Plugin;
use super::open::OpenRequest;
use super::plan::SessionPlan;
use super::text::bounded_escaped;

/// An instance of a plugin that serves one connection.
///
/// A crash costs it the sandbox: a new one is made and opened with the same request, and the batch is decoded again frame
/// by frame, so that only the frame at fault is lost to the dead letters. The plugin forgets its state in that; one that
/// can't go on without asks for a reconnect.
///
/// It gives up, and says so in [`Decoded::broken`], when the new sandbox does not open, after
/// [`Instance::MAX_FAULTS_IN_A_ROW`] frames in a row that crashed it, or when the crashes of one batch took more than
/// [`Instance::MAX_WASTE`] times the time of a call.
pub struct Instance {
    pub(super) plugin: Arc<Plugin>,
    pub(super) request: OpenRequest,
    symbols: Vec<String>,
    /// None once it is broken.
    guest: Option<Guest>,
    /// Why it is of no more use.
    broken: Option<String>,
    faults_in_a_row: u32,
}

impl Instance {
    /// Frames in a row that crash the plugin before it counts as broken.
    pub const MAX_FAULTS_IN_A_ROW: u32 = 64;
    /// How many times the time of a call the failures of one batch may take before the plugin counts as broken. Each frame
    /// that loops costs one; so long may a batch hold up its session, and after that a new connection is the better way.
    pub const MAX_WASTE: u32 = 16;

    pub(super) fn open(plugin: Arc<Plugin>, request: OpenRequest) -> Result<(Self, SessionPlan), OpenFailure> {
        let (guest, plan) = open_guest(&plugin, &request)?;
        let symbols = plan.symbols.clone();
        Ok((Self { plugin, request, symbols, guest: Some(guest), broken: None, faults_in_a_row: 0 }, plan))
    }

    /// The plugin that it is an instance of.
    #[must_use]
    pub fn plugin(&self) -> &Arc<Plugin> {
        &self.plugin
    }

    /// Decodes a batch into `out`, which is cleared first. Never fails: each frame has given its trades and events, or
    /// nothing because there is nothing in it, or is refused with a reason. Takes at most as long as a call may take, or
    /// [`Instance::MAX_WASTE`] + 2 times that when the plugin misbehaves.
    pub fn decode(&mut self, batch: &FrameBatch, received_at_us: i64, out: &mut Decoded) {
        out.clear();
        if batch.is_empty() {
            return;
        }
        if let Some(reason) = &self.broken {
            out.broken = Some(reason.clone());
            out.refused.extend((0..).zip(batch.iter()).map(|(index, _)| undecoded(index, reason)));
            return;
        }
        let began = Instant::now();
        let markets = self.markets();
        let whole = types::Batch { bytes: batch.bytes(), ends: batch.ends(), received_at: received_at_us };
        let frame_bytes = |index: u32| batch.get(index as usize).map_or(0, <[u8]>::len);
        let frames = u32::try_from(batch.len()).unwrap_or(u32::MAX);
        let question = Question { frame_bytes: &frame_bytes, frames, markets, offset: 0 };
        if let Err(failure) = self.decode_part(whole, &question, out) {
            out.clear();
            self.report(&failure, out);
            self.decode_one_by_one(batch, received_at_us, began.elapsed(), out);
        } else {
            self.faults_in_a_row = 0;
        }
        merge_refusals(&mut out.refused);
    }

    /// After a failure: a fresh sandbox, and each frame by itself.
    fn decode_one_by_one(&mut self, batch: &FrameBatch, received_at_us: i64, mut wasted: Duration, out: &mut Decoded) {
        let most_waste = self.plugin.runtime().limits().call_time * Self::MAX_WASTE;
        let markets = self.markets();
        self.renew(out);
        for (index, frame) in (0..).zip(batch.iter()) {
            if let Some(reason) = &out.broken {
                out.refused.push(undecoded(index, reason));
                continue;
            }
            let end = u32::try_from(frame.len()).unwrap_or(u32::MAX);
            let alone = types::Batch { bytes: frame, ends: &[end], received_at: received_at_us };
            let question = Question { frame_bytes: &|_| frame.len(), frames: 1, markets, offset: index };
            let mark = out.mark();
            let began = Instant::now();
            let Err(failure) = self.decode_part(alone, &question, out) else {
                self.faults_in_a_row = 0;
                continue;
            };
            out.return_to(mark);
            out.refused.push(failure.refusal_of(index));
            let Failure::Fault(_) = failure else { continue };
            self.report(&failure, out);
            self.faults_in_a_row += 1;
            wasted += began.elapsed();
            if self.faults_in_a_row >= Self::MAX_FAULTS_IN_A_ROW {
                self.give_up(format!("it failed on {} frames in a row", self.faults_in_a_row), out);
            } else if wasted > most_waste {
                self.give_up(format!("its failures took {} ms of one batch", wasted.as_millis()), out);
            } else {
                self.renew(out);
            }
        }
    }

    /// One call, whose answer is appended to `out`, in part also when it turns out to be of no use.
    fn decode_part(
        &mut self,
        part: types::Batch<'_>,
        question: &Question<'_>,
        out: &mut Decoded,
    ) -> Result<(), Failure> {
        let Some(guest) = &mut self.guest else {
            return Err(Failure::Fault(Fault::trap("is of no more use: open the session anew")));
        };
        match guest.decode(part).map_err(Failure::Fault)? {
            Ok(answer) => answer::take(answer, question, out).map_err(Failure::Nonsense),
            Err(reason) => {
                let reason = bounded_escaped(&reason, MAX_REASON);
                let refused = |frame| Refused { frame, kind: RefusalKind::BatchRefused, reason: reason.clone() };
                out.refused.extend((question.offset..question.offset + question.frames).map(refused));
                Ok(())
            }
        }
    }

    fn report(&self, failure: &Failure, out: &mut Decoded) {
        out.faults += 1;
        tracing::warn!(plugin = self.plugin.label(), reason = failure.reason(), "a plugin failed; it is started anew");
    }

    fn give_up(&mut self, reason: String, out: &mut Decoded) {
        tracing::error!(plugin = self.plugin.label(), %reason, "a plugin's instance is of no more use");
        self.guest = None;
        out.broken = Some(reason.clone());
        self.broken = Some(reason);
    }

    /// Makes a fresh sandbox and opens it as the one before.
    fn renew(&mut self, out: &mut Decoded) {
        if let Err(reason) = self.try_renew() {
            self.give_up(reason, out);
        }
    }

    pub(super) fn try_renew(&mut self) -> Result<(), String> {
        // The old sandbox goes first, so that its place in the pool is free.
        self.guest = None;
        match open_guest(&self.plugin, &self.request) {
            Ok((guest, plan)) if plan.symbols == self.symbols => {
                self.guest = Some(guest);
                Ok(())
            }
            Ok(_) => Err("started anew, it spells its markets differently".to_owned()),
            Err(failure) => Err(format!("it does not start anew: {failure}")),
        }
    }

    pub(super) fn guest_mut(&mut self) -> Option<&mut Guest> {
        self.guest.as_mut()
    }

    pub(super) fn markets(&self) -> u32 {
        u32::try_from(self.symbols.len()).unwrap_or(u32::MAX)
    }
}

impl std::fmt::Debug for Instance {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (plugin, broken) = (self.plugin.label(), self.guest.is_none());
        formatter.debug_struct("Instance").field("plugin", &plugin).field("broken", &broken).finish_non_exhaustive()
    }
}

/// A frame whose turn never came.
fn undecoded(frame: u32, reason: &str) -> Refused {
    let reason = bounded_escaped(&format!("not decoded: {reason}"), MAX_REASON);
    Refused { frame, kind: RefusalKind::BatchRefused, reason }
}

/// Why a call gave nothing that can be used.
enum Failure {
    /// It did not come back. The sandbox is of no more use.
    Fault(Fault),
    /// The answer is nonsense that can't be pinned on one of several frames.
    Nonsense(String),
}

impl Failure {
    fn reason(&self) -> &str {
        match self {
            Self::Fault(fault) => &fault.reason,
            Self::Nonsense(reason) => reason,
        }
    }

    /// What becomes of the one frame that it happened on.
    fn refusal_of(&self, frame: u32) -> Refused {
        let kind = match self {
            Self::Fault(Fault { kind: FaultKind::Trap, .. }) => RefusalKind::Trap,
            Self::Fault(Fault { kind: FaultKind::Limit, .. }) => RefusalKind::Limit,
            Self::Nonsense(_) => RefusalKind::Refused,
        };
        Refused { frame, kind, reason: format!("the plugin {}", self.reason()) }
    }
}

fn open_guest(plugin: &Plugin, request: &OpenRequest) -> Result<(Guest, SessionPlan), OpenFailure> {
    let name = || plugin.label().to_owned();
    let mut guest = plugin.guest().map_err(|fault| OpenFailure::Fault { plugin: name(), fault })?;
    let answer = request.ask(|asked| guest.call(|world, store| world.tapedeck_plugin_plugin().call_open(store, asked)));
    match answer.map_err(|fault| OpenFailure::Fault { plugin: name(), fault })? {
        Ok(plan) => match SessionPlan::checked(plan, request, &plugin.description().hosts) {
            Ok(plan) => Ok((guest, plan)),
            Err(reason) => Err(OpenFailure::Plan { plugin: name(), reason }),
        },
        Err(refusal) => Err(OpenFailure::Refused {
            plugin: name(),
            market: refusal
                .market
                .and_then(|index| request.markets.get(index as usize))
                .map(|market| market.name.clone()),
            reason: bounded_escaped(&refusal.reason, MAX_REASON),
        }),
    }
}

/// Orders refusals by frame and makes one of several of the same frame: a dead letter holds a frame once.
fn merge_refusals(refused: &mut Vec<Refused>) {
    refused.sort_by_key(|refusal| refusal.frame);
    let mut more = 0_u32;
    let mut merged: Vec<Refused> = Vec::with_capacity(refused.len());
    let finish = |last: Option<&mut Refused>, more: &mut u32| {
        if let Some(last) = last.filter(|_| *more > 0) {
            last.reason = bounded_escaped(&last.reason, MAX_REASON - 32);
            last.reason.push_str(&format!(" (and {more} more)"));
        }
        *more = 0;
    };
    for refusal in refused.drain(..) {
        if merged.last().is_some_and(|last| last.frame == refusal.frame) {
            more += 1;
            continue;
        }
        finish(merged.last_mut(), &mut more);
        merged.push(refusal);
    }
    finish(merged.last_mut(), &mut more);
    *refused = merged;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_is_refused_once_with_its_first_reason() {
        let refused = |frame, reason: &str| Refused { frame, kind: RefusalKind::Refused, reason: reason.to_owned() };
        let mut list = vec![refused(2, "c"), refused(0, "a"), refused(2, "d"), refused(2, "e"), refused(1, "b")];
        merge_refusals(&mut list);
        assert_eq!(list, [refused(0, "a"), refused(1, "b"), refused(2, "c (and 2 more)")]);
        let mut long = vec![refused(0, &"x".repeat(MAX_REASON)); 2];
        merge_refusals(&mut long);
        assert!(long.len() == 1 && long[0].reason.len() <= MAX_REASON && long[0].reason.ends_with("… (and 1 more)"));
        let mut none = Vec::new();
        merge_refusals(&mut none);
        assert!(none.is_empty());
    }
}
