//! One connection as the hub sees it, with the frame faults that are its own luck.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::fault::FaultRates;
use crate::frame::{Opcode, write_frame};
use crate::hub::damage::write_damaged;
use crate::outbox::Outbox;
use crate::random::Random;
use crate::status::Counters;

/// Frames of its stream behind which a frame is held back at most.
const HELD_FRAMES: u64 = 16;
/// Time for which a frame is held back at most.
const HELD_TIME: Duration = Duration::from_millis(200);

/// A whole encoded frame.
pub(crate) struct Frame(Vec<u8>);

impl Frame {
    pub(crate) fn new(opcode: Opcode, payload: &[u8]) -> Self {
        let mut bytes = Vec::with_capacity(payload.len() + 10);
        write_frame(&mut bytes, opcode, payload);
        Self(bytes)
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        &self.0
    }
}

/// A frame that comes later than it should.
struct Held {
    stream: usize,
    frames_left: u64,
    due: Instant,
    bytes: Vec<u8>,
}

/// A connection.
pub(crate) struct Link {
    /// Its number, counted from 1 over the simulator's life.
    pub(crate) number: u64,
    pub(crate) outbox: Arc<Outbox>,
    /// Ends the connection at once.
    pub(crate) cut: CancellationToken,
    /// Tells the client that the connection will be cut.
    pub(crate) shutdown: Arc<Notify>,
    /// Nothing is read from it any more, once this is cancelled.
    pub(crate) forgotten: CancellationToken,
    /// Until when it is silent; none inside: for good.
    silent_until: Option<Option<Instant>>,
    /// Streams that it gets.
    pub(crate) streams: Vec<usize>,
    /// Frames of the tick in hand.
    staging: Vec<u8>,
    held: Vec<Held>,
    random: Random,
}

impl Link {
    pub(crate) fn new(number: u64, outbox: Arc<Outbox>, cut: CancellationToken, seed: u64) -> Self {
        Self {
            number,
            outbox,
            cut,
            shutdown: Arc::default(),
            forgotten: CancellationToken::new(),
            silent_until: None,
            streams: Vec::new(),
            staging: Vec::new(),
            held: Vec::new(),
            random: Random::new(seed),
        }
    }

    /// Adds a trade's frame to the tick in hand, with the faults that befall it; false if it will never arrive.
    pub(super) fn deliver(&mut self, stream: usize, frame: &[u8], rates: &FaultRates, counters: &mut Counters) -> bool {
        if self.silent_until.is_some() {
            return false;
        }
        if !rates.touch_frames() && self.held.is_empty() {
            self.staging.extend_from_slice(frame);
            counters.frames_sent += 1;
            return true;
        }
        self.deliver_with_faults(stream, frame, rates, counters)
    }

    fn deliver_with_faults(
        &mut self,
        stream: usize,
        frame: &[u8],
        rates: &FaultRates,
        counters: &mut Counters,
    ) -> bool {
        if self.random.chance(rates.drop) {
            counters.frames_dropped += 1;
            return false;
        }
        if self.random.chance(rates.malformed) {
            write_damaged(&mut self.staging, frame, self.random.below(4));
            counters.frames_malformed += 1;
            counters.frames_sent += 1;
        }
        let held_before = self.held.len();
        if self.random.chance(rates.reorder) {
            self.hold(stream, frame);
            counters.frames_reordered += 1;
        } else {
            self.staging.extend_from_slice(frame);
        }
        if self.random.chance(rates.duplicate) {
            self.hold(stream, frame);
            counters.frames_duplicated += 1;
            counters.frames_sent += 1;
        }
        counters.frames_sent += 1;
        for held in self.held.iter_mut().take(held_before).filter(|held| held.stream == stream) {
            held.frames_left = held.frames_left.saturating_sub(1);
        }
        self.release(|held| held.frames_left == 0);
        true
    }

    fn hold(&mut self, stream: usize, frame: &[u8]) {
        let frames_left = 1 + self.random.below(HELD_FRAMES);
        self.held.push(Held { stream, frames_left, due: Instant::now() + HELD_TIME, bytes: frame.to_vec() });
    }

    fn release(&mut self, ready: impl Fn(&Held) -> bool) {
        let staging = &mut self.staging;
        self.held.retain(|held| {
            let keeps = !ready(held);
            if !keeps {
                staging.extend_from_slice(&held.bytes);
            }
            keeps
        });
    }

    /// Whether frames are held back that time alone releases.
    pub(super) fn holds_frames(&self) -> bool {
        !self.held.is_empty()
    }

    /// Hands the tick's frames to the writer, and returns how many bytes are pending.
    pub(super) fn flush(&mut self, now: Instant) -> usize {
        if !self.held.is_empty() {
            self.release(|held| held.due <= now);
        }
        if self.staging.is_empty() { self.outbox.pending() } else { self.outbox.push_all(&mut self.staging) }
    }

    /// Sends nothing more until then; without a time, for good.
    pub(crate) fn silence(&mut self, until: Option<Instant>) {
        self.silent_until = Some(until);
        self.outbox.set_silent(true);
        self.held.clear();
    }

    /// Sends and reads nothing more.
    pub(crate) fn forget(&mut self) {
        self.silence(None);
        self.forgotten.cancel();
    }

    /// Whether it is open at the other end only.
    pub(crate) fn is_half_open(&self) -> bool {
        self.forgotten.is_cancelled()
    }

    /// Ends a silence whose time is over, or any if `now` is none.
    pub(crate) fn end_silence(&mut self, now: Option<Instant>) {
        let over = match (self.silent_until, now) {
            _ if self.is_half_open() => false,
            (Some(_), None) => true,
            (Some(Some(until)), Some(now)) => until <= now,
            _ => false,
        };
        if over {
            self.silent_until = None;
            self.outbox.set_silent(false);
        }
    }
}
